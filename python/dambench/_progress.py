"""How far a sweep is, in a terminal or a notebook: one line that is kept up to date, and what is said for good above it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

Show = Callable[[str, bool], None]


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _by_tqdm() -> contextlib.AbstractContextManager[Show]:
    from tqdm import tqdm

    @contextlib.contextmanager
    def line() -> Iterator[Show]:
        with tqdm(bar_format="{desc}", leave=False, file=sys.stderr) as bar:
            yield lambda text, for_good: bar.write(text, file=sys.stderr) if for_good else bar.set_description_str(text)

    return line()


@contextlib.contextmanager
def _plain() -> Iterator[Show]:
    """Without tqdm: a line rewritten in place."""
    length = 0

    def show(text: str, for_good: bool) -> None:
        nonlocal length
        sys.stderr.write("\r" + text.ljust(length) + ("\n" if for_good else ""))
        sys.stderr.flush()
        length = 0 if for_good else len(text)

    try:
        yield show
    finally:
        if length:
            sys.stderr.write("\r" + " " * length + "\r")


@contextlib.contextmanager
def shown(progress: bool | None) -> Iterator[Show | None]:
    """What shows lines of progress; None where nobody would see them."""
    if progress is None:
        progress = _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())
    if not progress:
        yield None
        return
    try:
        display = _by_tqdm()
    except ModuleNotFoundError:
        display = _plain()
    with display as show:
        yield show
