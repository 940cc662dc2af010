"""Reads presets from TOML files: those that come with Maskwatch, and people's own."""

from pathlib import Path

from pydantic import ValidationError

from detectors.errors import MaskwatchError
from inference.toml_documents import Document, DocumentUnreadable, describe_faults, parse_toml
from inference.upstream.presets.preset import Preset

_FOLDER = Path(__file__).parent
_SUFFIX = ".toml"


class PresetError(MaskwatchError):
    """A preset that cannot be worked with: a sentence for each fault, which names file and key."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def load_preset(source: str) -> Preset:
    """The preset of a name that is shipped, or of a TOML file.

    Args:
        source: a name as :func:`list_preset_files` has it, or the path of a file, which ends in
            ``.toml``.

    Raises:
        PresetError: there is no such preset, or something in it is wrong.
    """
    return read_preset(find_preset_file(source))


def find_preset_file(source: str) -> Path:
    """Where a preset stands; a path is not looked at.

    Raises:
        PresetError: no preset of that name is shipped.
    """
    if source.endswith(_SUFFIX):
        return Path(source)
    files = {path.stem: path for path in list_preset_files()}
    if source not in files:
        raise PresetError(
            f"There is no preset {source!r}: take {', '.join(files)}, or the path of a file that "
            f"ends in {_SUFFIX}."
        )
    return files[source]


def list_preset_files() -> tuple[Path, ...]:
    """The files of the presets that come with Maskwatch, in the order of their names."""
    return tuple(sorted(_FOLDER.glob(f"*{_SUFFIX}")))


def read_preset(path: Path) -> Preset:
    """The preset of a file.

    Raises:
        PresetError: it cannot be read, or something in it is wrong.
    """
    document = _read_document(path)
    try:
        return Preset.model_validate(document)
    except ValidationError as error:
        raise PresetError(
            *describe_faults(f"preset {path}", "a preset", Preset, document, error)
        ) from None


def _read_document(path: Path) -> Document:
    try:
        return parse_toml(path.read_bytes())
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise PresetError(f"The preset {path} cannot be read: {why}.") from None
    except DocumentUnreadable as fault:
        raise PresetError(f"The preset {path} {fault}.") from None
