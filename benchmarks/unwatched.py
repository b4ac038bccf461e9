"""Running a stage whose events nobody watches."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def exhausted(generator: Generator[object, None, Result]) -> Result:
    """What a stage returns after all its events."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value
