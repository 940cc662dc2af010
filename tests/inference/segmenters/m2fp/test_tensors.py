"""Only tensors come out, and no code of a file ever runs."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from structlog.testing import capture_logs

from inference.segmenters.m2fp.tensors import load_tensors
from inference.supply.advice import advise, may_be_pickle
from inference.supply.errors import ModelError

PACKED = ["zip", "legacy", "bare", "protocol0"]


def _saved(value: object, *, zipped: bool = True) -> bytes:
    buffer = BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def test_the_canary_would_sing(canary: Path, hostile: dict[str, bytes]) -> None:
    """Or else the tests below would prove nothing."""
    for packed in ("zip", "legacy"):
        torch.load(BytesIO(hostile[packed]), weights_only=False)
        assert canary.exists()
        canary.unlink()


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("name", ["m.pt", "m.bin", "m.pkl", "m.safetensors", "m"])
def test_code_in_a_file_never_runs(
    canary: Path,
    hostile: dict[str, bytes],
    packed: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(ModelError, match=name):
        load_tensors(hostile[packed], name)
    assert not canary.exists()


@pytest.mark.parametrize("packed", PACKED)
def test_what_a_file_would_call_is_named_and_not_called(
    canary: Path, hostile: dict[str, bytes], packed: str
) -> None:
    advice = advise(hostile[packed], "m.pt")
    assert any(call.endswith(".eval") for call in advice.dangerous)
    assert not canary.exists()
    with capture_logs() as logs, pytest.raises(ModelError):
        load_tensors(hostile[packed], "m.pt")
    assert [(entry["log_level"], entry["file"]) for entry in logs] == [("warning", "m.pt")]
    assert logs[0]["calls"] == advice.dangerous


def test_a_pickle_swapped_into_a_good_archive_never_runs(
    canary: Path, hostile: dict[str, bytes]
) -> None:
    good, changed = BytesIO(_saved({"head": torch.ones(2)})), BytesIO()
    with zipfile.ZipFile(good) as before, zipfile.ZipFile(changed, "w") as after:
        for entry in before.namelist():
            is_pickle = entry.endswith("data.pkl")
            after.writestr(entry, hostile["bare"] if is_pickle else before.read(entry))
    assert advise(changed.getvalue(), "m.pt").dangerous
    with pytest.raises(ModelError, match=r"m\.pt"):
        load_tensors(changed.getvalue(), "m.pt")
    assert not canary.exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_checkpoints_of_both_forms_are_read(zipped: bool, wrapped: bool) -> None:
    state = {"head.weight": torch.arange(6.0).reshape(2, 3), "seen": torch.tensor(3)}
    saved = _saved({"model": state} if wrapped else state, zipped=zipped)
    with capture_logs() as logs:
        found = load_tensors(saved, "m.pt")
    assert logs == []
    assert set(found) == set(state)
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_safetensors_are_read() -> None:
    found = load_tensors(save({"head": torch.ones(2)}), "m.safetensors")
    assert torch.equal(found["head"], torch.ones(2))


@pytest.mark.parametrize(
    "value",
    [
        {"head": torch.ones(1), "epoch": 3},
        {"model": {"head": "text"}},
        {1: torch.ones(1)},
        [torch.ones(1)],
        torch.ones(1),
        "text",
    ],
)
def test_whatever_is_no_state_dictionary_is_refused(value: object) -> None:
    with pytest.raises(ModelError, match=r"m\.pt"):
        load_tensors(_saved(value), "m.pt")


def test_damaged_files_are_refused() -> None:
    for zipped in (True, False):
        good = _saved({"head": torch.ones(100)}, zipped=zipped)
        for data in (b"", good[: len(good) // 2], good[:20], b"PK\x03\x04" + b"\0" * 100):
            with pytest.raises(ModelError, match=r"m\.pt"):
                load_tensors(data, "m.pt")


def test_a_file_that_names_very_much_does_not_fill_the_log() -> None:
    calls = b"".join(b"cposix\nsystem%d\n0" % number for number in range(1000))
    assert len(advise(calls + b"N.", "m.pkl").dangerous) == 20


def test_advice_is_given_for_files_that_usually_hold_pickles() -> None:
    assert [may_be_pickle(name) for name in ("a/m.PT", "m.bin", "m.safetensors", "m.json")] == [
        True,
        True,
        False,
        False,
    ]
    assert advise(_saved({"head": torch.ones(1)}), "m.pt").dangerous == ()
    assert advise(b"", "m.pt").dangerous == ()
