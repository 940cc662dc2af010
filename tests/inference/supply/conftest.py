"""Real keys and real model files for the supply chain tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from inference.supply.verified import hash_files
from store.models.signatures import sign

NewKey = Callable[..., tuple[Path, Path]]


@pytest.fixture
def new_key(tmp_path: Path) -> NewKey:
    """Makes a key: ``private, public = new_key("old")``."""

    def made(name: str, curve: ec.EllipticCurve | None = None, password: str = "") -> Any:
        key = ec.generate_private_key(curve or ec.SECP256R1())
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        private, public = tmp_path / f"{name}.key", tmp_path / f"{name}.pub"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        public.write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        return private, public

    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder as ModelScope lays it out."""
    model = tmp_path / "model"
    (model / "description").mkdir(parents=True)
    (model / "configuration.json").write_text('{"task": "parsing"}')
    torch.save({"model": {"head": torch.ones(3)}}, model / "pytorch_model.pt")
    (model / "description" / "demo.jpg").write_bytes(b"a picture")
    (model / ".mdl").write_bytes(b"hidden")
    return model


@pytest.fixture
def signed(folder: Path, new_key: NewKey) -> tuple[Path, Path]:
    """A signed model folder, and the public key."""
    private, public = new_key("signer")
    sign(folder, hash_files(folder), private, None)
    return folder, public
