"""What an engine is given to do, and what it promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from detectors.errors import MaskwatchError

Part = TypeVar("Part")
Result = TypeVar("Result")
_Taken_contra = TypeVar("_Taken_contra", contravariant=True)
_Given_co = TypeVar("_Given_co", covariant=True)

Worker = Callable[[bytes], bytes]
"""Does in another process what :meth:`Work.do` does in this one, on what is packed."""


class EngineUnusable(MaskwatchError):
    """An engine cannot be started here."""


class EngineFailed(MaskwatchError):
    """An engine ended before its work did; what it has handed on stands."""

    retryable = True


@dataclass(frozen=True)
class Recipe:
    """How another process makes a worker.

    Attributes:
        make: a function of a module; it is found there by its name.
        material: what the function is given: bytes, so that no object of ours travels.
    """

    make: Callable[[bytes], Worker]
    material: bytes


class Work(Protocol[_Taken_contra, _Given_co]):
    """What is done with each of many parts, one independent of the other."""

    def do(self, part: _Taken_contra) -> _Given_co:
        """Do it here."""
        ...

    def recipe(self) -> Recipe:
        """How it is done elsewhere, bit for bit as here."""
        ...

    def pack(self, part: _Taken_contra) -> bytes:
        """A part as a worker takes it."""
        ...

    def unpack(self, answer: bytes) -> _Given_co:
        """What a worker made of it."""
        ...


class Engine(Protocol):
    """Does work on parts and hands on what comes of them in the order of the parts.

    It reads only so many parts ahead as it has room for.
    """

    def run(self, work: Work[Part, Result], parts: Iterator[Part]) -> Iterator[Result]:
        """What comes of each part.

        Raises:
            EngineFailed: the engine ended before; what it has handed on stands.
        """
        ...
