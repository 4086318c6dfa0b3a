"""The programs that come along: `dam` and `ham` of the same build."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def _run(name: str) -> NoReturn:
    program = os.path.join(os.path.dirname(__file__), "bin", name)
    os.execv(program, [name, *sys.argv[1:]])


def dam() -> NoReturn:
    _run("dam")


def ham() -> NoReturn:
    _run("ham")
