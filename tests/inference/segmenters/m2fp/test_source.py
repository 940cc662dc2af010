"""Where a model folder comes from. The hub itself is only reached in its errors."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from modelscope_hub.errors import HubError, NetworkError, NotExistError

from inference.segmenters.m2fp.source import DEFAULT_MODEL, model_folder
from inference.supply.errors import ModelError

# The package holds a function of the same name.
hub = import_module("modelscope.hub.snapshot_download")
REVISION = "v1.0.1"


def _folder(model: str, var_dir: Path) -> Path:
    return model_folder(model, REVISION, var_dir)


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert _folder(str(tmp_path), tmp_path / "var") == tmp_path


@pytest.mark.parametrize("model", ["no-such-folder", "../weights/model", "a/b/c", "", "/gone/away"])
def test_what_is_neither_folder_nor_id_is_refused(model: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="MASKWATCH_MODEL"):
        _folder(model, tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    file.touch()
    with pytest.raises(ModelError, match="neither a folder"):
        _folder(str(file), tmp_path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NetworkError("down"), "cannot be reached"),
        (NotExistError("gone"), "has no model"),
        (HubError("strange"), "HubError"),
        (OSError("disk full"), "OSError"),
    ],
)
def test_errors_of_the_hub_become_sentences(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(hub, "snapshot_download", failing)
    with pytest.raises(ModelError, match=said) as caught:
        _folder(DEFAULT_MODEL, tmp_path)
    assert DEFAULT_MODEL in str(caught.value)


def test_a_download_is_made_once_and_holds_the_model_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def downloaded(model: str, revision: str, local_dir: str, **_: Any) -> str:
        asked.append(f"{model}@{revision}")
        target = Path(local_dir)
        (target / ".cache" / "inner").mkdir(parents=True)
        for name in ("configuration.json", "pytorch_model.pt", ".cache/inner/lock"):
            (target / name).touch()
        return local_dir

    monkeypatch.setattr(hub, "snapshot_download", downloaded)
    first = _folder(DEFAULT_MODEL, tmp_path)
    assert sorted(path.name for path in first.iterdir()) == [
        "configuration.json",
        "pytorch_model.pt",
    ]
    assert _folder(DEFAULT_MODEL, tmp_path) == first
    assert asked == [f"{DEFAULT_MODEL}@{REVISION}"]
