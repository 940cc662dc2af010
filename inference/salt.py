"""The secret of the fingerprints: set, or made once in the var folder."""

import os
from pathlib import Path
from secrets import token_bytes, token_hex

from detectors.errors import MaskwatchError
from inference.settings import ServiceSettings

_BYTES = 32


class SaltUnusable(MaskwatchError):
    """The secret of the fingerprints can neither be read nor made."""


def fingerprint_salt(settings: ServiceSettings) -> bytes:
    """The secret that this deployment takes fingerprints with.

    Raises:
        SaltUnusable: it is not set, and the file in the var folder cannot be used.
    """
    if settings.fingerprint_salt is not None:
        return settings.fingerprint_salt.get_secret_value().encode()
    path = settings.var_dir / "fingerprint.salt"
    try:
        if not path.exists():
            _make(path)
        salt = path.read_bytes()
    except OSError as error:
        raise SaltUnusable(
            f"The secret {path} can neither be read nor made ({error.strerror}): make the folder "
            "writable or set MASKWATCH_FINGERPRINT_SALT."
        ) from None
    if len(salt) < _BYTES:
        raise SaltUnusable(
            f"The secret {path} is shorter than {_BYTES} bytes: delete it, and a new one is made."
        )
    return salt


def _make(path: Path) -> None:
    """Write a new secret for this user only; if another process is faster, its secret counts."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{token_hex(4)}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        return
    finally:
        partial.unlink(missing_ok=True)
