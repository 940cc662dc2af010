"""What a model's signature in the OpenSSF model-signing format claims; true or not.

Apart from :mod:`store.models.signatures`, whose library takes a quarter of a second to import.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.models.model_errors import ModelError
from store.models.model_files import SIGNATURE_NAME, UnusableFile, read_model_file

ONLY_FILE = "."
"""In a signature, a model of one file is this path."""
_MAX_BYTES = 10_000_000
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
        hashes = {model.name: hashes[ONLY_FILE]}
    return Claims(hashes, signer)
