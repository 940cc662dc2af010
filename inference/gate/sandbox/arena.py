"""Memory that the service shares with one worker: an upload goes in, pixels come out."""

import mmap
import os
from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, fcntl

# Three are packed, four are as Pillow keeps them.
_BYTES_PER_PIXEL = 4
# Below this, pages that a picture has touched are kept for the next one.
_KEPT_BYTES = 16_000_000


class Arena:
    """An upload region and behind it a pixel region.

    The file's size is sealed: a worker that shrank it could kill the service with SIGBUS.
    """

    def __init__(self, descriptor: int, max_upload_bytes: int, max_pixels: int) -> None:
        self._pixels_start = -(-max_upload_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        self._size = self._pixels_start + max_pixels * _BYTES_PER_PIXEL
        self.descriptor = descriptor
        if os.fstat(descriptor).st_size != self._size:
            os.ftruncate(descriptor, self._size)
            fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
        self._memory = mmap.mmap(descriptor, self._size)

    @classmethod
    def make(cls, max_upload_bytes: int, max_pixels: int) -> "Arena":
        """A new one; pages take memory only once they are used."""
        descriptor = os.memfd_create("maskwatch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        return cls(descriptor, max_upload_bytes, max_pixels)

    def put_upload(self, data: bytes) -> None:
        """Lay the bytes of an upload down; they fit, or nothing is written.

        Raises:
            ValueError: there are more than the region takes.
        """
        if len(data) > self._pixels_start:
            raise ValueError("The upload is larger than the arena.")
        self._memory[: len(data)] = data

    def upload(self, length: int) -> bytes:
        """A copy of the upload."""
        return self._memory[:length]

    def put_pixels(self, rows: bytes | memoryview, place: int) -> int:
        """Lay pixels down; returns where the next ones go."""
        start = self._pixels_start + place
        self._memory[start : start + len(rows)] = rows
        return place + len(rows)

    def pixels(self, length: int) -> memoryview:
        """The first bytes of the pixel region: to be copied at once, the worker can still write."""
        return memoryview(self._memory)[self._pixels_start :][:length]

    def tidy(self, used_bytes: int) -> None:
        """Give the memory of a large picture back to the system."""
        if used_bytes > _KEPT_BYTES:
            self._memory.madvise(mmap.MADV_REMOVE)

    def close(self) -> None:
        """Unmap and close."""
        self._memory.close()
        os.close(self.descriptor)
