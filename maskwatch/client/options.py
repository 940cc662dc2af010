"""What a middleware is told."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit


class Mode(StrEnum):
    """``observe`` reports after the fact; ``gate`` asks before the application sees a picture."""

    OBSERVE = "observe"
    GATE = "gate"


@dataclass(frozen=True)
class ClientOptions:
    """How an application is attached to its sidecar.

    Attributes:
        url: address of the sidecar, such as ``http://127.0.0.1:8080``. It stands beside the
            application: there is no TLS.
        api_key: sent with every request to the sidecar; none if empty. ``observe`` needs one that
            was made with ``--scope observe``. With one in ``gate``, all clients are that key's.
        plain_paths: paths, exactly as the application knows them, whose bodies hold no picture:
            they pass untouched. A path that is not listed is looked at.
        picture_fields: names under which ``observe`` finds pictures in forms and in JSON. What
            ``gate`` takes is the sidecar's setting.
        fails_open: whether ``gate`` lets a body pass that the sidecar could not look at, or that is
            over the limit; otherwise it is refused.
        max_body_bytes: larger bodies are not kept: they pass unobserved and are counted.
        max_queue: reports that wait to be sent; further ones are dropped and counted.
        max_queue_bytes: of all bodies that wait.
        timeout_seconds: for each step of a request to the sidecar: connecting, sending, answering.
        max_screenings: requests of an ASGI application that ask the sidecar at the same time.

    Raises:
        ValueError: a value that cannot be meant, with its name.
    """

    url: str
    mode: Mode = Mode.OBSERVE
    api_key: str = ""
    plain_paths: Collection[str] = ()
    picture_fields: tuple[str, ...] = ("file", "image", "img", "upload", "files", "files[]")
    fails_open: bool = False
    max_body_bytes: int = 48_000_000
    max_queue: int = 64
    max_queue_bytes: int = 128_000_000
    timeout_seconds: float = 5.0
    max_screenings: int = 16

    def __post_init__(self) -> None:
        """Refuse at the start what would otherwise show with the first picture."""
        # Applications are configured by hand: a mode may come as its word.
        object.__setattr__(self, "mode", Mode(self.mode))
        for name in ("plain_paths", "picture_fields"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} has to be a collection of texts.")  # noqa: TRY004
        _check_address(self.address)
        _check_key(self.api_key)
        for name in ("max_body_bytes", "max_queue", "max_queue_bytes", "max_screenings"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} has to be at least 1.")
        if not 0 < self.timeout_seconds < 600:
            raise ValueError("timeout_seconds has to be between 0 and 600.")

    @property
    def address(self) -> SplitResult:
        """The parts of ``url``."""
        return urlsplit(self.url)


def _check_address(address: SplitResult) -> None:
    is_bare = address.path in {"", "/"} and not (address.query or address.fragment)
    if address.scheme != "http" or not address.hostname or not is_bare:
        raise ValueError("url has to look like http://127.0.0.1:8080, without a path.")
    if address.username is not None:
        raise ValueError("url holds a user name: give the sidecar's key as api_key.")
    _ = address.port  # raises a ValueError of its own if it is none


def _check_key(key: str) -> None:
    if not key.isascii() or any(character.isspace() for character in key):
        raise ValueError("api_key holds something else than a key.")
