"""What a client sent."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256


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

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hex."""
        return sha256(self.data).hexdigest()
