"""Keys that models are signed with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from jobs.context import JobContext

NewKey = Callable[[str], tuple[Path, Path]]


@pytest.fixture
def new_key(tmp_path: Path) -> NewKey:
    """Makes a key: ``private, public = new_key("old")``."""

    def made(name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        private, public = tmp_path / f"{name}.key", tmp_path / f"{name}.pub"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        return private, public

    return made


def with_keys(context: JobContext, private: Path | None, public: Path) -> JobContext:
    changes = {"outlier_signing_key": private, "outlier_model_keys": (public,)}
    return replace(context, settings=context.settings.model_copy(update=changes))
