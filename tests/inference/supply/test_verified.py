"""What is accepted, what is refused, and that the refusal names the file."""

import base64
import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from model_signing import verifying
from structlog.testing import capture_logs

from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, SHIPPED_SHA256, open_weights
from inference.supply.errors import ModelError
from inference.supply.trust import ANYONE, ShippedFile, Trust
from inference.supply.verified import Standing, hash_files, open_model, verify_model
from store.models.signature_claims import signature_path
from store.models.signatures import sign
from store.models.signing_keys import read_public_key

NewKey = Callable[..., tuple[Path, Path]]
WEIGHTS = "pytorch_model.pt"


def _refused(path: Path, trust: Trust, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(path, trust)
    for word in words:
        assert word in str(caught.value)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _change_claims(model: Path, name: str, digest: str) -> None:
    """Rewrites what a signature says, as somebody without the key would."""
    path = signature_path(model)
    bundle = json.loads(path.read_text())
    envelope = bundle["dsseEnvelope"]
    said = json.loads(base64.b64decode(envelope["payload"]))
    resources = said["predicate"]["resources"]
    for resource in resources:
        if resource["name"] == name:
            resource["digest"] = digest
    root = sha256(b"".join(bytes.fromhex(each["digest"]) for each in resources))
    said["subject"][0]["digest"]["sha256"] = root.hexdigest()
    envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()
    path.write_text(json.dumps(bundle))


def test_a_signed_folder_is_accepted_with_its_key(signed: tuple[Path, Path]) -> None:
    folder, key = signed
    model = open_model(folder, Trust((key,)))
    assert model.standing is Standing.SIGNED
    assert model.signed_by == read_public_key(key).fingerprint
    names = [".mdl", "configuration.json", "description/demo.jpg", WEIGHTS]
    assert [file.name for file in model.files] == names
    assert model.read(WEIGHTS) == (folder / WEIGHTS).read_bytes()


def test_the_signature_holds_for_the_library_alone_too(signed: tuple[Path, Path]) -> None:
    folder, key = signed
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=key)
    verifier.verify(folder, folder / "model.sig")
    _flip(folder / WEIGHTS)
    with pytest.raises(ValueError, match=f"Hash mismatch for '{WEIGHTS}'"):
        verifier.verify(folder, folder / "model.sig")


@pytest.mark.parametrize("name", [WEIGHTS, "configuration.json", "description/demo.jpg", ".mdl"])
@pytest.mark.parametrize("with_key", [True, False])
def test_a_flipped_byte_in_any_file_is_refused_by_name(
    signed: tuple[Path, Path], name: str, with_key: bool
) -> None:
    folder, key = signed
    _flip(folder / name)
    _refused(folder, Trust((key,) if with_key else ()), name, "not the one that was signed")


@pytest.mark.parametrize("with_key", [True, False])
def test_missing_renamed_and_added_files_are_refused_by_name(
    signed: tuple[Path, Path], with_key: bool
) -> None:
    folder, key = signed
    trust = Trust((key,) if with_key else ())
    (folder / "extra.py").write_text("")
    _refused(folder, trust, "extra.py", "was not signed")
    (folder / "extra.py").unlink()
    (folder / "description" / ".hidden").write_text("")
    _refused(folder, trust, "description/.hidden", "was not signed")
    (folder / "description" / ".hidden").unlink()
    (folder / WEIGHTS).rename(folder / "weights.pt")
    _refused(folder, trust, WEIGHTS, "is missing")
    (folder / "weights.pt").unlink()
    _refused(folder, trust, WEIGHTS, "is missing")


def test_links_pipes_and_unspeakable_names_are_refused_by_name(
    folder: Path, tmp_path: Path
) -> None:
    for make, word in (
        (lambda path: path.symlink_to(folder / WEIGHTS), "symbolic link"),
        (lambda path: path.symlink_to(tmp_path, target_is_directory=True), "symbolic link"),
        (os.mkfifo, "no regular file"),
    ):
        odd = folder / "odd"
        make(odd)
        _refused(folder, Trust(), "odd", word)
        odd.unlink()
    bad = os.fsencode(folder) + b"/\xff.pt"
    with open(bad, "wb"):  # noqa: PTH123
        pass
    _refused(folder, Trust(), "not UTF-8")


def test_a_model_that_is_itself_a_link_or_missing_is_refused(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    _refused(link, Trust(), str(link), "symbolic link")
    _refused(tmp_path / "gone", Trust(), "gone", "No such file")
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", Trust(), "empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_by_name(folder: Path) -> None:
    (folder / WEIGHTS).chmod(0)
    _refused(folder, Trust(), WEIGHTS, "Permission denied")


def test_a_long_path_does_not_hide_the_name(signed: tuple[Path, Path], tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200) / "model"
    deep.parent.mkdir()
    signed[0].rename(deep)
    _flip(deep / WEIGHTS)
    _refused(deep, Trust((signed[1],)), f"/{WEIGHTS} is not the one that was signed")


def test_either_of_two_keys_will_do_and_no_other(folder: Path, new_key: NewKey) -> None:
    old, new, other = (new_key(name) for name in ("old", "new", "other"))
    both = Trust((old[1], new[1]))
    for private, public in (old, new):
        sign(folder, hash_files(folder), private, None)
        assert open_model(folder, both).signed_by == read_public_key(public).fingerprint
    sign(folder, hash_files(folder), other[0], None)
    _refused(folder, both, "model.sig", "accepted key")
    with pytest.raises(ModelError, match="At most 2 keys"):
        Trust((old[1], new[1], other[1]))


def test_claims_that_were_rewritten_to_fit_changed_files_are_refused(
    signed: tuple[Path, Path],
) -> None:
    folder, key = signed
    _flip(folder / WEIGHTS)
    _change_claims(folder, WEIGHTS, sha256((folder / WEIGHTS).read_bytes()).hexdigest())
    _refused(folder, Trust((key,)), "model.sig", "changed afterwards")
    # Without a key nobody can tell; the log says so.
    with capture_logs() as logs:
        assert open_model(folder, ANYONE).standing is Standing.UNPROVEN
    assert [entry["log_level"] for entry in logs] == ["warning"]
    _refused(folder, Trust(), "no signature by an accepted key, for none is set")


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "{}", '"x"', "null", '{"dsseEnvelope": {"payload": "!"}}', "[" * 100_000],
)
def test_a_broken_signature_is_named(folder: Path, text: str) -> None:
    (folder / "model.sig").write_text(text)
    _refused(folder, Trust(), "model.sig", "damaged")


def test_a_signature_that_cannot_be_opened_is_named(folder: Path) -> None:
    (folder / "model.sig").mkdir()
    (folder / "model.sig" / "inside").write_text("")
    _refused(folder, Trust(), "model.sig", "no regular file")
    (folder / "model.sig" / "inside").unlink()
    (folder / "model.sig").rmdir()
    (folder / "model.sig").symlink_to("nowhere")
    _refused(folder, Trust(), "model.sig", "cannot be read")


def test_bytes_behind_a_broken_author_check_are_refused(signed: tuple[Path, Path]) -> None:
    folder, key = signed
    path = signature_path(folder)
    bundle = json.loads(path.read_text())
    signature = bytearray(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    signature[-1] ^= 1
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    path.write_text(json.dumps(bundle))
    _refused(folder, Trust((key,)), "model.sig")
    bundle["dsseEnvelope"]["signatures"] = []
    path.write_text(json.dumps(bundle))
    _refused(folder, Trust((key,)), "model.sig")


def test_an_unsigned_model_is_refused_and_loaded_with_a_warning_where_that_is_allowed(
    folder: Path, new_key: NewKey
) -> None:
    with capture_logs() as logs:
        model = open_model(folder, ANYONE)
    assert (model.standing, model.signed_by) == (Standing.UNSIGNED, None)
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert logs[0]["model"] == str(folder)
    _refused(folder, Trust(), "model.sig: sign it", "MASKWATCH_REQUIRE_SIGNED_MODEL=false loads")
    keys = (new_key("any")[1],)
    for trust in (Trust(keys), Trust(keys, is_required=False)):
        _refused(folder, trust, "model.sig: sign it with `maskwatch model sign`, and name the")


def test_what_changes_between_check_and_use_is_not_used(folder: Path) -> None:
    model = open_model(folder)
    _flip(folder / WEIGHTS)
    with pytest.raises(ModelError, match=f"{WEIGHTS} changed while it was loaded"):
        model.read(WEIGHTS)
    with pytest.raises(ModelError, match=r"no file ../configuration\.json"):
        model.read("../configuration.json")
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    with pytest.raises(ModelError, match=f"{WEIGHTS} is no regular file"):
        model.read(WEIGHTS)


def test_the_digest_tells_names_and_contents_apart(folder: Path) -> None:
    before = verify_model(folder).digest
    assert verify_model(folder).digest == before
    (folder / WEIGHTS).rename(folder / "other.pt")
    renamed = verify_model(folder).digest
    _flip(folder / "other.pt")
    assert len({before, renamed, verify_model(folder).digest}) == 3


def test_a_model_of_one_file_has_its_signature_beside_it(tmp_path: Path, new_key: NewKey) -> None:
    private, public = new_key("signer")
    file = tmp_path / "weights.onnx"
    file.write_bytes(DEFAULT_WEIGHTS.read_bytes())
    sign(file, hash_files(file), private, None)
    assert (tmp_path / "weights.onnx.sig").is_file()
    model = open_model(file, Trust((public,)))
    assert model.digest == sha256(file.read_bytes()).hexdigest()
    assert ReferenceSegmenter.load(file, Trust((public,))).digest == model.digest
    _flip(file)
    _refused(file, Trust((public,)), str(file), "not the one that was signed")
    _refused(file, Trust(), str(file), "not the one that was signed")


def test_the_shipped_weights_are_pinned_in_the_code() -> None:
    assert sha256(DEFAULT_WEIGHTS.read_bytes()).hexdigest() == SHIPPED_SHA256
    with capture_logs() as logs:
        assert open_weights(DEFAULT_WEIGHTS, Trust()).standing is Standing.SHIPPED
    assert logs == []


def test_a_flipped_byte_in_the_shipped_weights_is_refused_without_any_key(tmp_path: Path) -> None:
    file = tmp_path / "weights.onnx"
    file.write_bytes(DEFAULT_WEIGHTS.read_bytes())
    shipped = ShippedFile(file, SHIPPED_SHA256)
    assert verify_model(file, shipped=shipped).standing is Standing.SHIPPED
    _flip(file)
    with pytest.raises(ModelError, match=rf"{file.name} is not the one that this version"):
        verify_model(file, shipped=shipped)


def test_weights_with_another_digest_than_the_shipped_ones_need_a_signature(tmp_path: Path) -> None:
    file = tmp_path / "weights.onnx"
    file.write_bytes(DEFAULT_WEIGHTS.read_bytes())
    assert open_weights(file, Trust()).standing is Standing.SHIPPED
    _flip(file)
    with pytest.raises(ModelError, match=rf"no signature at {file}\.sig: sign it with"):
        open_weights(file, Trust())
    assert open_weights(file, ANYONE).standing is Standing.UNSIGNED
