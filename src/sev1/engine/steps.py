"""Work that takes long, written as a generator that stops at every place where it may be interrupted. Pure.

Who has time runs it `at_once`; a server, which has others to answer meanwhile, `in_steps` (`engine/in_steps.py`).
"""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Yields nothing and returns the result."""


def at_once(work: Steps[T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
