"""How far a sweep is, in a terminal or a notebook: one line that is kept up to date, and what is said for good above it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

Show = Callable[[str, bool], None]


@contextlib.contextmanager
def shown(progress: bool | None) -> Iterator[tuple[bool, Show | None]]:
    """Whether there is anybody to see progress, and tqdm's line for it; without tqdm the program's own, on stderr."""
    if progress is None:
        progress = "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        tqdm = None
    if not progress or tqdm is None:
        yield progress, None
        return
    with tqdm(bar_format="{desc}", leave=False, file=sys.stderr) as line:
        yield True, lambda text, for_good: line.write(text, file=sys.stderr) if for_good else line.set_description_str(text)
