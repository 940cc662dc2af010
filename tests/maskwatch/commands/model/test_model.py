"""``maskwatch model``: sign, verify and show, and one sentence for what goes wrong."""

import json
import subprocess
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.export import write_network
from inference.segmenters.reference.training.network import ReferenceNetwork
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, SHIPPED_SHA256
from tests.maskwatch.conftest import Run, Said


class Canary:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, (f"open({str(self.path)!r}, 'w').close()",)


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    """A private and a public key, made as docs/operations/models.md says."""
    private, public = str(tmp_path / "model.key"), str(tmp_path / "model.pub")
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    _openssl("pkey", "-in", private, "-pubout", "-out", public)
    return private, public


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m2fp"
    folder.mkdir()
    (folder / "configuration.json").write_text("{}")
    torch.save({"model": {"head": torch.ones(3)}}, folder / "pytorch_model.pt")
    return folder


def _one_sentence(said: Said, *words: str) -> None:
    assert (said.code, said.out) == (1, "")
    assert said.err.count("\n") == 1
    for word in words:
        assert word in said.err


def test_what_is_signed_is_verified_until_a_byte_changes(
    maskwatch: Run, model: Path, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _one_sentence(maskwatch("model", "verify", str(model)), "has no signature", "model sign")
    said = maskwatch("model", "sign", str(model), "--key", keys[0])
    assert (said.code, said.err) == (0, "")
    fingerprint = sha256(Path(keys[1]).read_bytes()).hexdigest()
    assert fingerprint in said.out
    said = maskwatch("model", "verify", str(model), "--key", keys[1])
    assert (said.code, said.err) == (0, "")
    assert "2 files verified. An accepted key signed these files." in said.out
    assert "no key is set" in maskwatch("model", "verify", str(model)).out
    monkeypatch.setenv("MASKWATCH_MODEL_KEYS", keys[1])
    assert fingerprint in maskwatch("model", "verify", str(model)).out
    (model / "configuration.json").write_text("[]")
    said = maskwatch("model", "verify", str(model))
    _one_sentence(said, "configuration.json", "not the one that was signed")
    assert "refused" in maskwatch("model", "show", str(model)).out


def test_the_password_comes_from_the_environment(
    maskwatch: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = str(tmp_path / "locked.key")
    _openssl(
        *("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-aes-256-cbc", "-pass", "pass:sesame", "-out", locked),
    )
    sign = ("model", "sign", str(model), "--key", locked)
    _one_sentence(maskwatch(*sign), "MASKWATCH_MODEL_KEY_PASSWORD")
    monkeypatch.setenv("MASKWATCH_MODEL_KEY_PASSWORD", "barley")
    _one_sentence(maskwatch(*sign), "its password is wrong")
    monkeypatch.setenv("MASKWATCH_MODEL_KEY_PASSWORD", "sesame")
    assert maskwatch(*sign).code == 0


def test_show_lists_files_and_signature_for_people_and_programs(
    maskwatch: Run, model: Path, keys: tuple[str, str]
) -> None:
    text = maskwatch("model", "show", str(model)).out
    for name in ("configuration.json", "pytorch_model.pt"):
        assert sha256((model / name).read_bytes()).hexdigest() in text
    assert "unsigned" in text
    assert "nothing that would run code" in text
    maskwatch("model", "sign", str(model), "--key", keys[0])
    shown = json.loads(maskwatch("model", "show", str(model), "--key", keys[1], "--json").out)
    assert shown["state"] == "signed"
    assert [file["name"] for file in shown["files"]] == ["configuration.json", "pytorch_model.pt"]
    assert shown["files"][0]["size"] == 2
    assert shown["advice"] == [
        {"file": "pytorch_model.pt", "dangerous": [], "unknown": [], "complete": True}
    ]


def test_code_in_a_model_is_shown_and_never_runs(
    maskwatch: Run, model: Path, tmp_path: Path, keys: tuple[str, str]
) -> None:
    canary = tmp_path / "canary"
    for name, zipped in (("pytorch_model.pt", True), ("legacy.bin", False)):
        buffer = BytesIO()
        torch.save({"model": Canary(canary)}, buffer, _use_new_zipfile_serialization=zipped)
        (model / name).write_bytes(buffer.getvalue())
    assert maskwatch("model", "sign", str(model), "--key", keys[0]).code == 0
    for words in (("show",), ("verify",), ("show", "--json")):
        said = maskwatch("model", words[0], str(model), "--key", keys[1], *words[1:])
        assert said.code == 0
        assert ".eval" in said.out
    assert not canary.exists()


def test_the_shipped_weights_are_vouched_for(maskwatch: Run) -> None:
    said = maskwatch("model", "verify", str(DEFAULT_WEIGHTS))
    assert said.code == 0
    assert "the weights that Maskwatch ships" in said.out
    shown = json.loads(maskwatch("model", "show", str(DEFAULT_WEIGHTS), "--json").out)
    assert (shown["state"], shown["digest"]) == ("shipped", SHIPPED_SHA256)


def test_what_goes_wrong_is_one_sentence(
    maskwatch: Run, model: Path, keys: tuple[str, str], tmp_path: Path
) -> None:
    folder, gone = str(model), str(tmp_path / "gone")
    for words, word in (
        (("sign", gone, "--key", keys[0]), "gone"),
        (("sign", folder, "--key", gone), "gone"),
        (("sign", folder, "--key", keys[1]), "no private key"),
        (("show", gone), "gone"),
        (("verify", folder, *("--key", keys[1]) * 3), "At most 2 keys"),
    ):
        _one_sentence(maskwatch("model", *words), word)
    assert maskwatch("model", "sign", folder, "--key", keys[0]).code == 0
    _one_sentence(maskwatch("model", "verify", folder, "--key", keys[0]), "is a private one")


@pytest.mark.parametrize("command", ["show", "verify", "sign"])
def test_an_outlier_model_of_an_earlier_version_is_named(
    maskwatch: Run, keys: tuple[str, str], tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "models" / "ab"
    folder.mkdir(parents=True)
    former = folder / f"{'ab' * 32}.skops"
    former.write_bytes(b"PK")
    key = ("--key", keys[0]) if command == "sign" else ()
    for path in (former, folder.parent):
        said = maskwatch("model", command, str(path), *key)
        _one_sentence(
            said, f"{former} was written by an earlier version", "maskwatch jobs run retrain"
        )
    assert former.read_bytes() == b"PK"


@pytest.fixture
def other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of the shipped kind with another digest, named by the environment."""
    path = tmp_path / "weights.onnx"
    torch.manual_seed(1)
    write_network(path, ReferenceNetwork(len(LABELS)), {})
    monkeypatch.setenv("MASKWATCH_MODEL", str(path))
    return path


@pytest.mark.parametrize("command", ["serve", "parse"])
@pytest.mark.parametrize("with_key", [False, True])
def test_a_start_refuses_an_unsigned_model(
    maskwatch: Run,
    keys: tuple[str, str],
    other_weights: Path,
    look: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    with_key: bool,
) -> None:
    if with_key:
        monkeypatch.setenv("MASKWATCH_MODEL_KEYS", keys[1])
    before = other_weights.read_bytes()
    said = maskwatch(command, *([str(look)] if command == "parse" else []))
    _one_sentence(said, f"{other_weights}.sig", "sign it with `maskwatch model sign`")
    assert ("MASKWATCH_REQUIRE_SIGNED_MODEL=false" in said.err) is not with_key
    assert other_weights.read_bytes() == before


def test_a_model_is_loaded_once_it_is_signed_or_where_unsigned_ones_are_allowed(
    maskwatch: Run,
    keys: tuple[str, str],
    other_weights: Path,
    look: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASKWATCH_REQUIRE_SIGNED_MODEL", "false")
    assert maskwatch("parse", str(look)).code == 0
    monkeypatch.delenv("MASKWATCH_REQUIRE_SIGNED_MODEL")
    assert maskwatch("model", "sign", str(other_weights), "--key", keys[0]).code == 0
    _one_sentence(maskwatch("parse", str(look)), "for none is set", "MASKWATCH_MODEL_KEYS")
    monkeypatch.setenv("MASKWATCH_MODEL_KEYS", keys[1])
    assert maskwatch("parse", str(look)).code == 0
