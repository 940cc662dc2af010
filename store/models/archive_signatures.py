"""Signatures of outlier models and re-rankers, in the format of those of segmenters.

What it takes is loaded by whoever has a key only: it is large, and most have none.
"""

from collections.abc import Sequence
from pathlib import Path

from detectors.outliers.base import OutlierModelError
from store.models.model_errors import ModelError
from store.models.model_files import ModelFile

OUTLIER_MODEL, RERANKER = "outlier model", "re-ranker"
"""What an archive may be of, for sentences."""


class UntrustedModel(OutlierModelError):
    """An outlier model or a re-ranker that no accepted key signed."""


def sign_archive(archive: Path, digest: str, key: Path, noun: str = OUTLIER_MODEL) -> str:
    """Sign an archive beside which the signature is written; the fingerprint of the key.

    Raises:
        UntrustedModel: the key cannot be used, or the signature cannot be written.
    """
    from store.models.signatures import sign  # noqa: PLC0415

    try:
        return sign(archive, [_describe(archive, digest)], key, None)
    except ModelError as fault:
        raise UntrustedModel(f"The {noun} is not signed. {fault}") from None


def verify_archive(
    archive: Path, digest: str, keys: Sequence[Path], noun: str = OUTLIER_MODEL
) -> None:
    """See that one of the keys signed these bytes.

    Raises:
        UntrustedModel: none did, or a key cannot be used.
    """
    from store.models.signatures import verify_signature  # noqa: PLC0415
    from store.models.signing_keys import read_public_key  # noqa: PLC0415

    try:
        accepted = [read_public_key(key) for key in keys]
    except ModelError as fault:
        raise UntrustedModel(str(fault)) from None
    try:
        verify_signature(archive, [_describe(archive, digest)], accepted)
    except ModelError:
        raise UntrustedModel(
            f"The {noun} {archive} has no signature of a key in "
            "MASKWATCH_OUTLIER_MODEL_KEYS: if you know where it comes from, sign it with "
            "`maskwatch model sign`; else promote another with `maskwatch detectors promote`."
        ) from None


def _describe(archive: Path, digest: str) -> ModelFile:
    return ModelFile(archive.name, digest, 0)
