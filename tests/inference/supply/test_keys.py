"""Keys that can be used, and one sentence for each that cannot."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from inference.supply.errors import ModelError
from inference.supply.trust import Trust
from inference.supply.verified import hash_files, open_model
from store.models.signatures import sign
from store.models.signing_keys import check_private_key, read_public_key

NewKey = Callable[..., tuple[Path, Path]]


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_both_halves_of_a_key_have_one_fingerprint(
    new_key: NewKey, curve: ec.EllipticCurve, folder: Path
) -> None:
    private, public = new_key("any", curve)
    assert check_private_key(private, None) == read_public_key(public).fingerprint
    assert sign(folder, hash_files(folder), private, None) == read_public_key(public).fingerprint
    open_model(folder, Trust((public,)))


def test_a_locked_key_needs_its_password(new_key: NewKey, folder: Path) -> None:
    private, public = new_key("locked", password="open sesame")
    files = hash_files(folder)
    sign(folder, files, private, "open sesame")
    open_model(folder, Trust((public,)))
    with pytest.raises(ModelError, match="MASKWATCH_MODEL_KEY_PASSWORD"):
        sign(folder, files, private, None)
    with pytest.raises(ModelError, match="its password is wrong"):
        sign(folder, files, private, "open barley")
    with pytest.raises(ModelError, match="has no password"):
        sign(folder, files, new_key("plain")[0], "open sesame")


def test_keys_of_other_kinds_are_named(new_key: NewKey, tmp_path: Path) -> None:
    private, public = new_key("bitcoin", ec.SECP256K1())
    key = rsa.generate_private_key(65537, 2048)
    rsa_private, rsa_public = tmp_path / "rsa.key", tmp_path / "rsa.pub"
    rsa_private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    rsa_public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for path in (public, rsa_public):
        with pytest.raises(ModelError, match=rf"{path.name} is not on one of the elliptic curves"):
            read_public_key(path)
    for path in (private, rsa_private):
        with pytest.raises(ModelError, match=rf"{path.name} is not on one of the elliptic curves"):
            check_private_key(path, None)


def test_what_is_no_key_is_named(new_key: NewKey, tmp_path: Path) -> None:
    private, public = new_key("any")
    with pytest.raises(ModelError, match="is a private one"):
        read_public_key(private)
    with pytest.raises(ModelError, match="no private key in PEM"):
        check_private_key(public, None)
    with pytest.raises(ModelError, match="No such file"):
        read_public_key(tmp_path / "gone")
    (tmp_path / "text").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(ModelError, match="no public key in PEM"):
        read_public_key(tmp_path / "text")


def test_a_signature_that_cannot_be_written_is_named(new_key: NewKey, tmp_path: Path) -> None:
    model = tmp_path / "weights.pt"
    model.write_bytes(b"x")
    (tmp_path / "weights.pt.sig").mkdir()
    with pytest.raises(ModelError, match=r"weights\.pt\.sig cannot be written"):
        sign(model, hash_files(model), new_key("any")[0], None)
    assert not list(tmp_path.glob(".*"))
