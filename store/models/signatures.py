"""Signatures in the OpenSSF model-signing format: whether one holds, making one."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from model_signing import hashing, manifest, signing, verifying
from model_signing._hashing.hashing import Digest

from store.engine.files.whole_files import whole_path
from store.models.model_errors import ModelError
from store.models.model_files import SIGNATURE_NAME, ModelFile
from store.models.signature_claims import ONLY_FILE, signature_path
from store.models.signing_keys import PublicKey, check_private_key

# Whoever signs is often another user than the one that serves.
_READABLE = 0o666


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
                path=PurePosixPath(file.name if folder else ONLY_FILE),
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
