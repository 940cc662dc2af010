"""Elliptic-curve keys: a private one signs models, up to two public ones are accepted."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from store.models.model_errors import ModelError

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_MAKE_ONE = "`openssl ecparam -name prime256v1 -genkey -noout -out model.key` makes a usable one."


@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are accepted from.

    Attributes:
        fingerprint: SHA-256 of its PEM text in hex, as signatures name it.
    """

    path: Path
    fingerprint: str


def read_public_key(path: Path) -> PublicKey:
    """Read a public key.

    Raises:
        ModelError: it is missing, no public key, or of a kind that cannot be used.
    """
    data = _bytes_of(path)
    if b"PRIVATE KEY" in data:
        raise ModelError(
            f"The key {path} is a private one, which belongs where models are signed: write its "
            f"public half with `openssl pkey -in {path} -pubout -out model.pub` and name that."
        )
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise ModelError(
            f"The key {path} is no public key in PEM: write one with "
            "`openssl pkey -in model.key -pubout -out model.pub`."
        ) from None
    return PublicKey(path, _fingerprint(_elliptic(path, key)))


def check_private_key(path: Path, password: bytes | None) -> str:
    """See whether a private key can sign; returns the fingerprint of its public half.

    Raises:
        ModelError: it is missing, no private key, locked, or of a kind that cannot be used.
    """
    try:
        key = load_pem_private_key(_bytes_of(path), password)
    except TypeError:
        raise ModelError(_password_advice(path, password)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ModelError(
            f"The key {path} is no private key in PEM, or its password is wrong: {_MAKE_ONE}"
        ) from None
    return _fingerprint(_elliptic(path, key.public_key()))


def _password_advice(path: Path, password: bytes | None) -> str:
    if password is None:
        return (
            f"The key {path} is locked: put its password into MASKWATCH_MODEL_KEY_PASSWORD for "
            "`maskwatch model sign`; retraining signs with a key that has none."
        )
    return f"The key {path} has no password: unset MASKWATCH_MODEL_KEY_PASSWORD."


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The key {path} cannot be read ({error.strerror}): check the path and who may read it."
        ) from None


def _elliptic(path: Path, key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise ModelError(
            f"The key {path} is not on one of the elliptic curves {', '.join(_CURVES)}: {_MAKE_ONE}"
        )
    return key


def _fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    return sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
