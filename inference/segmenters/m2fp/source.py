"""Where a model folder comes from: a path, or ModelScope's hub."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.supply.errors import ModelError

DEFAULT_MODEL = "damo/cv_resnet101_image-multiple-human-parsing"
# All that is loaded; a hub's folder may hold pictures, papers and code.
_FILES = ["configuration.json", "pytorch_model.pt", "model.safetensors", "model.sig"]
_MODEL_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_DOWNLOAD = "or download the model elsewhere and set MASKWATCH_MODEL to its folder"


def model_folder(model: str, revision: str, var_dir: Path) -> Path:
    """The folder of a model, downloaded once if it is a ModelScope id.

    Args:
        model: path of a folder, or an id like ``damo/cv_resnet101_image-multiple-human-parsing``.
        revision: of the id; a tag or a commit.
        var_dir: downloads go to ``models`` below it.

    Raises:
        ModelError: there is no such folder or id, or the hub cannot be reached.
    """
    folder = find_folder(model, revision, var_dir)
    if folder is not None:
        return folder
    return _download(model, revision, _target_of(model, revision, var_dir))


def find_folder(model: str, revision: str, var_dir: Path) -> Path | None:
    """The same without a download; ``None`` if one is needed.

    Raises:
        ModelError: there is no such folder, and it is no id.
    """
    path = Path(model)
    if model and path.is_dir():
        return path
    if path.exists() or not _MODEL_ID.fullmatch(model):
        raise ModelError(
            f"The model {model} is neither a folder nor a ModelScope id like {DEFAULT_MODEL}: "
            "check MASKWATCH_MODEL."
        )
    target = _target_of(model, revision, var_dir)
    return target if (target / _FILES[0]).is_file() else None


def _target_of(model: str, revision: str, var_dir: Path) -> Path:
    return var_dir / "models" / model.replace("/", "--") / revision


def _download(model: str, revision: str, target: Path) -> Path:
    partial = target.with_name(f"{target.name}.part")
    with _explain_errors(model, revision), warnings.catch_warnings(action="ignore"):
        from modelscope.hub.snapshot_download import snapshot_download  # noqa: PLC0415

        snapshot_download(
            model, revision=revision, local_dir=str(partial), allow_patterns=_FILES, max_workers=1
        )
    for extra in partial.iterdir():
        if extra.name not in _FILES:
            _remove(extra)
    partial.replace(target)
    return target


def _remove(extra: Path) -> None:
    """What the hub's client keeps for itself beside the model is no part of it."""
    if extra.is_dir() and not extra.is_symlink():
        for inner in extra.iterdir():
            _remove(inner)
        extra.rmdir()
    else:
        extra.unlink()


@contextmanager
def _explain_errors(model: str, revision: str) -> Iterator[None]:
    """Turn the hub's errors into sentences."""
    from modelscope_hub.errors import HubError, NetworkError, NotExistError  # noqa: PLC0415

    try:
        yield
    except NetworkError:
        raise ModelError(
            f"ModelScope's hub cannot be reached, so {model} cannot be downloaded: check the "
            f"network, {_DOWNLOAD}."
        ) from None
    except NotExistError:
        raise ModelError(
            f"ModelScope's hub has no model {model} at revision {revision}: check MASKWATCH_MODEL "
            "and MASKWATCH_MODEL_REVISION."
        ) from None
    except (HubError, OSError, ValueError) as error:
        raise ModelError(
            f"The model {model} cannot be downloaded ({type(error).__name__}): try again, "
            f"{_DOWNLOAD}."
        ) from None
