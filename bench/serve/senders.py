"""Clients of a running service: some that send as fast as they can, and a steady stream."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from math import inf
from time import perf_counter, sleep
from urllib.parse import urlsplit

from detectors.errors import MaskwatchError
from inference.http.accept import Answer
from inference.refusals import OVERLOADED

_OK = 200
_TIMEOUT_SECONDS = 120
# With a new name every so often a sender stays below the rate that a client is allowed.
_PICTURES_PER_NAME = 20
# A steady stream is sent by as many threads as may have to wait for an answer at the same time.
_MAX_UNDER_WAY = 16
_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
_TAIL = b"\r\n--b--\r\n"


class NotAnswered(MaskwatchError):
    """The service did not answer with a parse."""


@dataclass(frozen=True)
class Senders:
    """Senders to one service; names of clients are used up."""

    url: str
    _numbers: Iterator[int] = field(default_factory=count)

    def pictures_per_second(self, pictures: Sequence[bytes], senders: int) -> float:
        """How many of these are answered in a second, if each sender waits for its answer."""
        start = perf_counter()
        with ThreadPoolExecutor(senders) as pool:
            list(pool.map(self._send, pictures))
        return len(pictures) / (perf_counter() - start)

    def stream(self, pictures: Sequence[bytes], per_second: float) -> list[float]:
        """Seconds from when each of these was due until it was answered.

        What the service turns away as overloaded counts as never answered: infinity.
        """
        start = perf_counter()
        due = [start + place / per_second for place in range(len(pictures))]
        with ThreadPoolExecutor(_MAX_UNDER_WAY) as pool:
            return list(pool.map(self._send_when_due, pictures, due))

    def _send_when_due(self, data: bytes, due: float) -> float:
        sleep(max(0.0, due - perf_counter()))
        status = self._post(data)
        return inf if status == OVERLOADED.status else perf_counter() - due

    def _send(self, data: bytes) -> None:
        if (status := self._post(data)) != _OK:
            raise NotAnswered(f"The service answered {status}.")

    def _post(self, data: bytes) -> int:
        """The status of the answer."""
        name = next(self._numbers) // _PICTURES_PER_NAME
        headers = {
            "Accept": Answer.LABELS,
            "Content-Type": "multipart/form-data; boundary=b",
            "X-Forwarded-For": f"198.18.{name // 250}.{name % 250 + 1}",
        }
        place = urlsplit(self.url)
        connection = HTTPConnection(str(place.hostname), place.port, timeout=_TIMEOUT_SECONDS)
        with closing(connection):
            connection.request("POST", "/v1/parse", _HEAD + data + _TAIL, headers)
            answer = connection.getresponse()
            answer.read()
        return answer.status
