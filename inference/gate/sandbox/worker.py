"""A decode worker: ``python -m inference.gate.sandbox.worker JSON``.

It locks itself down before it sees a byte of an upload, then decodes orders until its socket is
closed: that happens when the service ends, however it ends.
"""

import gc
import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from time import perf_counter, process_time
from typing import Any

from PIL import Image as Pillow
from PIL import ImageCms

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import PILLOW_FORMATS, MediaType
from inference.gate.sandbox.arena import Arena
from inference.gate.sandbox.arrow_pixels import lend_pixels
from inference.gate.sandbox.lockdown import Sandbox, lock_down
from inference.gate.sandbox.memory import PeakMemory
from inference.gate.sandbox.rlimits import Resources
from inference.gate.sandbox.wire import MAX_MESSAGE_BYTES, Order, Reply

_STRIP_BYTES = 1_000_000


@dataclass(frozen=True)
class Setup:
    """How a worker is started.

    Attributes:
        max_orders: pictures after which it asks to be replaced.
        max_cpu_seconds: processor time after which it asks to be replaced.
    """

    channel: int
    arena: int
    max_upload_bytes: int
    max_orders: int
    max_cpu_seconds: float
    limits: PictureLimits
    resources: Resources

    def to_json(self) -> str:
        """The worker's argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Setup":
        """Read the argument."""
        data: dict[str, Any] = json.loads(text)
        limits = PictureLimits(**data.pop("limits"))
        resources = Resources(**data.pop("resources"))
        return cls(**data, limits=limits, resources=resources)


class Worker:
    """Serves one channel."""

    def __init__(self, setup: Setup, arena: Arena, memory: PeakMemory) -> None:
        self._setup = setup
        self._arena = arena
        self._memory = memory
        self._orders = 0

    def obey(self, order: Order) -> Reply:
        """Decode the upload in the arena into the arena."""
        self._memory.reset()
        start = perf_counter()
        self._orders += 1
        outcome = self._decode(order)
        return Reply(
            number=order.number,
            **outcome,
            decode_ms=round((perf_counter() - start) * 1000, 3),
            peak_bytes=self._memory.read(),
            tired=self._is_tired() or outcome.get("refusal") == "too_much_memory",
        )

    def _decode(self, order: Order) -> dict[str, Any]:
        try:
            data = self._arena.upload(order.upload_bytes)
            examined = examine(data, order.media_type, self._setup.limits)
            depth = self._lay_down(examined.picture)
        except Unacceptable as error:
            return {"refusal": error.code}
        except MemoryError:
            return {"refusal": "too_much_memory"}
        width, height = examined.picture.size
        file_width, file_height = examined.file_size
        return {
            "width": width,
            "height": height,
            "file_width": file_width,
            "file_height": file_height,
            "orientation": examined.orientation,
            "depth": depth,
            "signs": dict(examined.signs),
        }

    def _lay_down(self, picture: Pillow.Image) -> int:
        """Copy the pixels into the arena; returns how many bytes each of them takes there."""
        with lend_pixels(picture) as pixels:
            if pixels is not None:
                self._arena.put_pixels(pixels, 0)
                return 4
        self._pack(picture)
        return 3

    def _pack(self, picture: Pillow.Image) -> None:
        """In strips: a second copy of a large picture would cost its size again."""
        width, height = picture.size
        rows = max(1, _STRIP_BYTES // (width * 3))
        place = 0
        for top in range(0, height, rows):
            strip = picture.crop((0, top, width, min(top + rows, height)))
            place = self._arena.put_pixels(strip.tobytes(), place)

    def _is_tired(self) -> bool:
        return (
            self._orders >= self._setup.max_orders or process_time() > self._setup.max_cpu_seconds
        )


def small_pictures() -> dict[MediaType, bytes]:
    """A file of each type, with all that decoders have code for."""
    Pillow.init()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    files = {}
    for media_type, name in PILLOW_FORMATS.items():
        buffer = BytesIO()
        Pillow.new("RGB", (16, 16)).save(buffer, name, icc_profile=profile, exif=exif)
        files[media_type] = buffer.getvalue()
    return files


def warm_up(files: Mapping[MediaType, bytes]) -> None:
    """Decode a picture of each type: locked down, nothing can be loaded any more."""
    for media_type, data in files.items():
        examine(data, media_type, PictureLimits())


def greet(channel: socket.socket, sandbox: Sandbox) -> None:
    """Say that the worker is ready, and what holds it."""
    channel.send(json.dumps(asdict(sandbox)).encode())


def main(argument: str) -> None:
    """Start, lock down, serve."""
    setup = Setup.from_json(argument)
    channel = socket.socket(fileno=setup.channel)
    arena = Arena(setup.arena, setup.max_upload_bytes, setup.limits.max_decoded_pixels)
    worker = Worker(setup, arena, PeakMemory())
    files = small_pictures()
    warm_up(files)
    gc.freeze()
    sandbox = lock_down(setup.resources)
    warm_up(files)
    greet(channel, sandbox)
    while message := channel.recv(MAX_MESSAGE_BYTES):
        channel.send(worker.obey(Order.from_bytes(message)).to_bytes())


if __name__ == "__main__":
    main(sys.argv[1])
