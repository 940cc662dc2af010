"""Attacked pictures on disk, found by what went into them.

The key is a hash over the picture, the attack with its settings and version, and the segmenter's
digest: whatever changes makes another file, so nothing is ever stale. Files appear whole or not at
all, and several processes may fill one cache.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from PIL import Image as Pillow

from detectors.parsing import Image

# Compression: the best levels cost a second a picture and save a few per cent.
_PNG_LEVEL = 3


@dataclass(frozen=True)
class Facts:
    """One attempt of an attack.

    Attributes:
        attack: its name.
        picture: SHA-256 of the clean picture, hexadecimal.
        reached: share of the goal in [0, 1]; ``None``: nothing to attack in this picture.
        succeeded: whether that is enough.
        seconds: of crafting, on the machine that did it.
        seed: what the attack drew its random numbers from.
        png: SHA-256 of the file, hexadecimal; empty without one.
    """

    attack: str
    picture: str
    reached: float | None
    succeeded: bool
    seconds: float
    seed: int
    png: str


@dataclass(frozen=True, eq=False)
class CraftedPicture:
    """The facts with the file to upload; ``None`` where there was nothing to attack."""

    facts: Facts
    png: bytes | None

    def image(self) -> Image:
        """The attacked picture, RGB ``(H, W, 3)`` uint8."""
        with Pillow.open(BytesIO(self.png or b"")) as picture:
            return np.array(picture.convert("RGB"), dtype=np.uint8)


def picture_digest(image: Image) -> str:
    """SHA-256 of a picture's pixels and size, hexadecimal."""
    return sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def key_of(*parts: str) -> str:
    """The key of what came out of ``parts``, whose order counts."""
    return sha256(json.dumps(parts).encode()).hexdigest()[:40]


def png_of(image: Image) -> bytes:
    """The picture as the file that is uploaded."""
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


class Cache:
    """A folder of attacked pictures; see the module."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, attack: str, key: str) -> CraftedPicture | None:
        """What is stored under the key; ``None`` if it is missing or damaged."""
        path = self._folder / "attacks" / attack / key
        try:
            facts = Facts(**json.loads(path.with_suffix(".json").read_text()))
            png = path.with_suffix(".png").read_bytes() if facts.png else None
        except (OSError, ValueError, TypeError):
            return None
        if png is not None and sha256(png).hexdigest() != facts.png:
            return None
        return CraftedPicture(facts, png)

    def store(self, attack: str, key: str, picture: CraftedPicture) -> None:
        """Keep a picture; the facts come last, so that they never speak of a missing file."""
        path = self._folder / "attacks" / attack / key
        if picture.png is not None:
            write(path.with_suffix(".png"), picture.png)
        write(path.with_suffix(".json"), (json.dumps(asdict(picture.facts)) + "\n").encode())

    def load_or_train(
        self, name: str, key: str, train: Callable[[], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float32]:
        """An array that takes long to compute: by ``train`` where it is not stored yet.

        Other processes wait for the one that computes it.
        """
        path = self._folder / "learnt" / f"{name}-{key}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            array = _array(path)
            if array is None:
                array = train()
                buffer = BytesIO()
                np.save(buffer, array, allow_pickle=False)
                write(path, buffer.getvalue())
        return array


def _array(path: Path) -> npt.NDArray[np.float32] | None:
    try:
        array: npt.NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array


def write(path: Path, content: bytes) -> None:
    """A file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    temporary.write_bytes(content)
    temporary.replace(path)
