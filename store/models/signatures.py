"""Signatures in the OpenSSF model-signing format: what one claims, whether it holds, making one."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from model_signing import hashing, manifest, signing, verifying
from model_signing._hashing.hashing import Digest

from store.engine.files.whole_files import whole_path
from store.models.model_errors import ModelError
from store.models.model_files import (
    SIGNATURE_NAME,
    ModelFile,
    UnusableFile,
    read_model_file,
)
from store.models.signing_keys import PublicKey, check_private_key

# In a signature, a model of one file is this path.
_ONLY_FILE = "."
_MAX_BYTES = 10_000_000
# Whoever signs is often another user than the one that serves.
_READABLE = 0o666
_SIGN_AGAIN = "get the signature again, or sign the model with `maskwatch model sign`"


@dataclass(frozen=True)
class Claims:
    """What a signature says; true only once its author is known.

    Attributes:
        hashes: SHA-256 in hex by file name.
        signer: fingerprint of the key that it says it was made with.
    """

    hashes: Mapping[str, str]
    signer: str


def signature_path(model: Path) -> Path:
    """Where the signature of a model lies: in its folder, or beside its only file."""
    return model / SIGNATURE_NAME if model.is_dir() else model.with_name(f"{model.name}.sig")


def read_claims(model: Path) -> Claims | None:
    """What a model's signature says of its files; ``None`` if there is no signature.

    Raises:
        ModelError: the signature is damaged, or of another kind.
    """
    path = signature_path(model)
    if not path.exists() and not path.is_symlink():
        return None
    try:
        return _claims(json.loads(read_model_file(path, _MAX_BYTES)), model)
    except UnusableFile as fault:
        raise ModelError(f"The signature {path} {fault}: {_SIGN_AGAIN}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise ModelError(
            f"The signature {path} is damaged, or was not made with an elliptic-curve key and "
            f"SHA-256 of whole files: {_SIGN_AGAIN}."
        ) from None


def verify_signature(model: Path, files: Sequence[ModelFile], keys: Iterable[PublicKey]) -> str:
    """See that one of the keys signed exactly these files; returns its fingerprint.

    Raises:
        ModelError: none did.
    """
    for key in keys:
        if _is_signed_with(key, model, files):
            return key.fingerprint
    raise ModelError(
        f"The signature {signature_path(model)} was not made with an accepted key, or was changed "
        "afterwards: check MASKWATCH_MODEL_KEYS and where the model comes from."
    )


def sign(model: Path, files: Sequence[ModelFile], key: Path, password: str | None) -> str:
    """Sign the files of a model; returns the fingerprint of the key.

    Raises:
        ModelError: the key cannot be used, or the signature cannot be written.
    """
    secret = password.encode() if password is not None else None
    fingerprint = check_private_key(key, secret)
    path = signature_path(model)
    # The library hands the password on to a function that wants bytes, against its own hint.
    config: Any = signing.Config()
    try:
        signer = config.use_elliptic_key_signer(private_key=key, password=secret)
        with whole_path(path, _READABLE) as part:
            signer.set_hashing_config(_Hashed(model, files)).sign(model, part)
    except OSError as error:
        raise ModelError(f"The signature {path} cannot be written ({error.strerror}).") from None
    return fingerprint


class _Hashed(hashing.Config):
    """Hands over hashes that were made already: what is signed or verified is what was read."""

    def __init__(self, model: Path, files: Sequence[ModelFile]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._model, self._files = model, files

    def hash(self, _model_path: object, *, files_to_hash: object = None) -> manifest.Manifest:  # noqa: ARG002
        """The manifest of the files, whatever path is given."""
        folder = self._model.is_dir()
        items = [
            manifest.FileManifestItem(
                path=PurePosixPath(file.name if folder else _ONLY_FILE),
                digest=Digest("sha256", bytes.fromhex(file.sha256)),
            )
            for file in self._files
        ]
        kind = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
        exclusion = {"ignore_paths": [SIGNATURE_NAME]} if folder else {}
        how = manifest.SerializationType.from_args({**kind, **exclusion})
        return manifest.Manifest(self._model.name, items, how)


def _is_signed_with(key: PublicKey, model: Path, files: Sequence[ModelFile]) -> bool:
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key.path)
        verifier.set_hashing_config(_Hashed(model, files)).verify(model, signature_path(model))
    except Exception:  # noqa: BLE001 - the library fails in many ways on a hostile signature
        return False
    return True


def _claims(bundle: Any, model: Path) -> Claims:
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True))
    predicate = statement["predicate"]
    how = predicate["serialization"]
    signer = bundle["verificationMaterial"]["publicKey"]["hint"]
    if (how["method"], how["hash_type"]) != ("files", "sha256") or not isinstance(signer, str):
        raise ValueError("a signature of another kind")
    hashes = {
        str(resource["name"]): bytes.fromhex(resource["digest"]).hex()
        for resource in predicate["resources"]
    }
    if not model.is_dir():
        hashes = {model.name: hashes[_ONLY_FILE]}
    return Claims(hashes, signer)
