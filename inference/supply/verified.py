"""A model whose files were checked before anything of it is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import structlog

from inference.supply.errors import ModelError
from inference.supply.trust import ANYONE, ShippedFile, Trust
from store.models.model_files import (
    ModelFile,
    UnusableFile,
    escape_name,
    file_of,
    hash_model_file,
    manifest_digest,
    model_names,
    read_model_file,
)
from store.models.signature_claims import Claims, read_claims, signature_path
from store.models.signing_keys import read_public_key

_log = structlog.get_logger(__name__)


class Standing(StrEnum):
    """What is known of where a model comes from."""

    SIGNED = "signed"
    SHIPPED = "shipped"
    UNPROVEN = "unproven"
    UNSIGNED = "unsigned"

    @property
    def sentence(self) -> str:
        """The same in a sentence."""
        return _SENTENCES[self]

    @property
    def is_proven(self) -> bool:
        """Whether somebody who is trusted vouches for every byte."""
        return self in (Standing.SIGNED, Standing.SHIPPED)


_SENTENCES = {
    Standing.SIGNED: "An accepted key signed these files.",
    Standing.SHIPPED: "These are the weights that Maskwatch ships.",
    Standing.UNPROVEN: "The files fit their signature; no key is set to check who made it.",
    Standing.UNSIGNED: "There is no signature.",
}


@dataclass(frozen=True)
class VerifiedModel:
    """A model that was checked.

    Attributes:
        digest: SHA-256 over the sorted names and hashes; for one file, the SHA-256 of that file.
        files: sorted by name.
        signed_by: fingerprint of the accepted key that signed it, if one did.
    """

    path: Path
    digest: str
    files: tuple[ModelFile, ...]
    standing: Standing
    signed_by: str | None = None

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 in hex by file name."""
        return {file.name: file.sha256 for file in self.files}

    def read(self, name: str) -> bytes:
        """The bytes of a file; they themselves are checked, so nothing can change in between.

        Raises:
            ModelError: there is no such file, or it is not what was verified.
        """
        file = next((file for file in self.files if file.name == name), None)
        if file is None:
            raise ModelError(
                f"The model {self.path} has no file {escape_name(name)}: get the whole model again."
            )
        try:
            data = read_model_file(file_of(self.path, name), file.size + 1)
        except UnusableFile as fault:
            raise _unusable(self.path, name, str(fault)) from None
        if sha256(data).hexdigest() != file.sha256:
            raise ModelError(
                f"The model file {_where(self.path, name)} changed while it was loaded: find out "
                "who writes to it, and load again."
            )
        return data


def open_model(
    path: Path, trust: Trust = ANYONE, shipped: ShippedFile | None = None
) -> VerifiedModel:
    """Check a model before it is loaded, and warn in the log if nobody vouches for it.

    Args:
        shipped: the file that the code itself vouches for; its digest stands for a signature.

    Raises:
        ModelError: a file is not what it has to be, or the model is not trusted; it is named.
    """
    model = verify_model(path, trust, shipped)
    if not model.standing.is_proven:
        _log.warning(
            "nobody vouches for the model",
            why=model.standing.sentence,
            model=str(path),
            digest=model.digest,
        )
    return model


def verify_model(
    path: Path, trust: Trust = ANYONE, shipped: ShippedFile | None = None
) -> VerifiedModel:
    """The same without a word in the log.

    Raises:
        ModelError: see :func:`open_model`.
    """
    files = hash_files(path)
    digest = digest_of(path, files)
    is_shipped = shipped is not None and digest == shipped.sha256
    if shipped is not None and shipped.lies_at(path) and not is_shipped:
        raise ModelError(
            f"The model file {path} is not the one that this version of Maskwatch ships: install "
            "Maskwatch again. Whoever trained it anew has to change SHIPPED_SHA256 too."
        )
    claims = read_claims(path)
    if claims is not None:
        _compare(path, claims, {file.name: file.sha256 for file in files})
    standing, signed_by = _standing(path, files, trust, claims, is_shipped)
    model = VerifiedModel(path, digest, files, standing, signed_by)
    fault = find_fault(model, trust)
    if fault is not None:
        raise ModelError(fault)
    return model


def find_fault(model: VerifiedModel, trust: Trust) -> str | None:
    """Why a model is not loaded, with what to do; ``None`` if somebody trusted vouches for it."""
    if model.standing.is_proven or not (trust.keys or trust.is_required):
        return None
    start = f"The model {model.path} has no signature"
    sign = "sign it with `maskwatch model sign`, and name the public key in MASKWATCH_MODEL_KEYS"
    if trust.keys:
        return f"{start} by an accepted key at {signature_path(model.path)}: {sign}."
    accept = "MASKWATCH_REQUIRE_SIGNED_MODEL=false loads models that nobody vouches for"
    if model.standing is Standing.UNPROVEN:
        return (
            f"{start} by an accepted key, for none is set: name the public key in "
            f"MASKWATCH_MODEL_KEYS; {accept}."
        )
    return f"{start} at {signature_path(model.path)}: {sign}; {accept}."


def hash_files(path: Path) -> tuple[ModelFile, ...]:
    """Every file of a model with its hash, sorted by name.

    Raises:
        ModelError: the first one that cannot be used, or that there is none.
    """
    try:
        names = model_names(path)
    except UnusableFile as fault:
        raise ModelError(f"The model {path} {fault}: check the path and who may read it.") from None
    if not names:
        raise ModelError(f"The model folder {path} is empty: put the model's files there.")
    return tuple(_hash_file(path, name, names[name]) for name in sorted(names))


def _hash_file(path: Path, name: str, fault: str) -> ModelFile:
    if fault:
        raise _unusable(path, name, fault)
    try:
        return hash_model_file(path, name)
    except UnusableFile as error:
        raise _unusable(path, name, str(error)) from None


def _unusable(path: Path, name: str, why: str) -> ModelError:
    return ModelError(
        f"The model file {_where(path, name)} {why}: put a regular, readable file there."
    )


def _where(path: Path, name: str) -> Path:
    """The path of a file for people."""
    return file_of(path, escape_name(name))


def digest_of(path: Path, files: Sequence[ModelFile]) -> str:
    """One SHA-256 for a model: over names and hashes of a folder, or of its only file."""
    if path.is_dir():
        return manifest_digest({file.name: file.sha256 for file in files})
    return files[0].sha256


def _compare(path: Path, claims: Claims, hashes: Mapping[str, str]) -> None:
    """Name the first file that the signature does not know as it is."""
    for name in sorted(claims.hashes.keys() | hashes.keys()):
        claim, own = claims.hashes.get(name), hashes.get(name)
        if claim != own:
            raise ModelError(
                f"The model file {_where(path, name)} {_mismatch(claim, own)}, or sign the "
                "model anew if you trust it as it is."
            )


def _mismatch(claim: str | None, own: str | None) -> str:
    if own is None:
        return "is missing, though it was signed: put it back"
    if claim is None:
        return "was not signed: remove it"
    return "is not the one that was signed: get it again"


def _standing(
    path: Path,
    files: Sequence[ModelFile],
    trust: Trust,
    claims: Claims | None,
    is_shipped: bool,
) -> tuple[Standing, str | None]:
    keys = [read_public_key(key) for key in trust.keys]
    if claims is not None and keys:
        # Its library takes a quarter of a second; most starts have no signature to verify.
        from store.models.signatures import verify_signature  # noqa: PLC0415

        return Standing.SIGNED, verify_signature(path, files, keys)
    if is_shipped:
        return Standing.SHIPPED, None
    return (Standing.UNSIGNED if claims is None else Standing.UNPROVEN), None
