"""A request: who sent it, and what."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Self


@dataclass(frozen=True)
class Arrival:
    """A request before anything was read of it.

    Attributes:
        client: who sends it, as the record will say.
        address: where it comes from, ``ip:ADDRESS``; ``None`` for files of the command line.
    """

    request_id: str
    received_at: datetime
    client: str
    route: str
    address: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a decision may know the sender by."""
        return (self.client,) if self.address is None else (self.client, self.address)


@dataclass(frozen=True)
class Upload:
    """The bytes of a request, and what the client said about them: compared, never believed.

    Attributes:
        declared_type: media type of the form part.
        file_name: name of the form part; never stored.
    """

    data: bytes
    declared_type: str | None = None
    file_name: str | None = None

    @classmethod
    def hash_now(
        cls, data: bytes, declared_type: str | None = None, file_name: str | None = None
    ) -> Self:
        """An upload that is hashed already: where it is made, not where the hash is asked for."""
        upload = cls(data, declared_type, file_name)
        _ = upload.sha256
        return upload

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hex."""
        return sha256(self.data).hexdigest()
