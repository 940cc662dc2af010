"""The secret of the fingerprints: set, or made once in the var folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes

import structlog

from detectors.errors import MaskwatchError
from inference.settings import ServiceSettings
from store.engine.files.whole_files import write_once
from store.engine.places import check_can_be_made

_log = structlog.get_logger(__name__)
_BYTES = 32


class SaltUnusable(MaskwatchError):
    """The secret of the fingerprints can neither be read nor made."""


def fingerprint_salt(settings: ServiceSettings) -> bytes:
    """The secret that this deployment takes fingerprints with.

    Raises:
        SaltUnusable: it is not set, and the file in the var folder cannot be used.
    """
    salt, path = find_salt(settings), _place_of(settings)
    if salt is not None:
        return salt
    with _explain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_once(path, token_bytes(_BYTES))
        # Copies of a picture are known by it: two services with secrets of their own do not know
        # each other's.
        _log.info("a secret for fingerprints was made", path=str(path))
        return _read(path)


def find_salt(settings: ServiceSettings) -> bytes | None:
    """The secret that is set, or was made; ``None`` if it is to be made, and can be.

    Raises:
        SaltUnusable: the file in the var folder cannot be used.
    """
    if settings.probing.fingerprint_salt is not None:
        return settings.probing.fingerprint_salt.get_secret_value().encode()
    path = _place_of(settings)
    with _explain_errors(path):
        check_can_be_made(path)
        return _read(path) if path.exists() else None


def _place_of(settings: ServiceSettings) -> Path:
    return settings.store.var_dir / "fingerprint.salt"


def _read(path: Path) -> bytes:
    salt = path.read_bytes()
    if len(salt) < _BYTES:
        raise SaltUnusable(
            f"The secret {path} is shorter than {_BYTES} bytes: delete it, and a new one is made."
        )
    return salt


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SaltUnusable(
            f"The secret {path} can neither be read nor made ({error.strerror}): make the folder "
            "writable or set MASKWATCH_FINGERPRINT_SALT."
        ) from None
