"""A model folder: ``model.onnx`` and ``segmenter.toml``, checked before a session is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from inference.segmenters.described.description import Description, InputForm
from inference.segmenters.described.heads import count_channels
from inference.supply.errors import ModelError
from inference.supply.onnx_graph import PlainGraph, Port, UnfitGraph, check_graph
from inference.supply.verified import VerifiedModel
from inference.toml_documents import Document, DocumentUnreadable, describe_faults, parse_toml

NETWORK, DESCRIPTION = "model.onnx", "segmenter.toml"
_MAX_BYTES = 2 << 30
_MAX_DESCRIPTION_BYTES = 1 << 20
_COLOURS = 3


@dataclass(frozen=True)
class OnnxFiles:
    """What a checked folder holds.

    Attributes:
        network: bytes of the network.
        input_name: of the input that takes the picture.
    """

    network: bytes
    description: Description
    input_name: str


def check_folder(path: Path) -> Path:
    """The folder, if it is one.

    Raises:
        ModelError: it is none, or one of the two files is missing.
    """
    missing = [name for name in (NETWORK, DESCRIPTION) if not (path / name).is_file()]
    if not path.is_dir() or missing:
        raise ModelError(
            f"The model folder {path} lacks {' and '.join(missing)}: set MASKWATCH_MODEL to a "
            f"folder that has both {NETWORK} and {DESCRIPTION}."
        )
    return path


def read_folder(model: VerifiedModel) -> OnnxFiles:
    """Read a verified folder.

    Raises:
        ModelError: a file is too large, damaged, holds more than a plain network, or does not fit
            the other.
    """
    description = read_description(_read(model, DESCRIPTION, _MAX_DESCRIPTION_BYTES), model.path)
    network = _read(model, NETWORK, _MAX_BYTES)
    try:
        graph = check_graph(network)
    except UnfitGraph as fault:
        raise ModelError(f"The model file {model.path / NETWORK} {fault}.") from None
    file = str(model.path / DESCRIPTION)
    port = _find_input(graph, description.input, file)
    _check_input(port, description.input, file)
    _check_outputs(graph, description, file)
    return OnnxFiles(network, description, port.name)


def read_description(data: bytes, folder: Path) -> Description:
    """Check a description.

    Raises:
        ModelError: with a sentence for every fault.
    """
    file = folder / DESCRIPTION
    try:
        document = parse_toml(data)
    except DocumentUnreadable as fault:
        raise ModelError(f"The file {file} {fault}.") from None
    return _build_description(document, str(file))


def _build_description(document: Document, file: str) -> Description:
    try:
        description = Description.model_validate(document)
    except ValidationError as error:
        sentences = describe_faults(
            f"file {file}", "a segmenter.toml", Description, document, error
        )
        raise ModelError(" ".join(sentences)) from None
    if description.labels.unknown:
        raise ModelError(
            f"In the file {file}, labels without a part group: "
            f"{', '.join(description.labels.unknown)}. Give each one below [labels.groups], "
            '"other" where none fits.'
        )
    return description


def _read(model: VerifiedModel, name: str, max_bytes: int) -> bytes:
    file = next((file for file in model.files if file.name == name), None)
    if file is not None and file.size > max_bytes:
        raise ModelError(
            f"The model file {model.path / name} is larger than {max_bytes >> 20} MiB."
        )
    return model.read(name)


def _find_input(graph: PlainGraph, form: InputForm, file: str) -> Port:
    ports = _by_name(graph.inputs)
    if form.name in ports:
        return ports[form.name]
    if form.name or len(ports) != 1:
        raise ModelError(
            f"In the file {file}, input.name is not usable: the network's inputs are "
            f"{', '.join(ports)}."
        )
    return graph.inputs[0]


def _check_input(port: Port, form: InputForm, file: str) -> None:
    if port.element != form.type:
        raise ModelError(
            f"In the file {file}, input.type is {form.type}, and the network takes {port.element}."
        )
    wanted = _wanted_sides(form)
    fits = len(port.sides) == len(wanted) and all(
        want is None or not isinstance(side, int) or side == want
        for side, want in zip(port.sides, wanted, strict=True)
    )
    if not fits or (form.long_side is not None and _has_fixed_sides(port, form)):
        shape = " × ".join(str(side) for side in port.sides)
        raise ModelError(
            f"In the file {file}, [input] describes another input than the network has, which is "
            f"{shape}: check layout, and size or long_side."
        )


def _wanted_sides(form: InputForm) -> tuple[int | None, ...]:
    """What each side has to be, where it is a number."""
    width, height = form.size or (None, None)
    sides = (height, width)
    return (1, _COLOURS, *sides) if form.layout == "nchw" else (1, *sides, _COLOURS)


def _has_fixed_sides(port: Port, form: InputForm) -> bool:
    sides = port.sides[2:] if form.layout == "nchw" else port.sides[1:3]
    return any(isinstance(side, int) for side in sides)


def _check_outputs(graph: PlainGraph, description: Description, file: str) -> None:
    ports = _by_name(graph.outputs)
    for output in description.outputs:
        if output.name not in ports:
            raise ModelError(
                f"In the file {file}, the output {output.name} is none of the network's: those are "
                f"{', '.join(ports)}."
            )
        _check_channels(ports[output.name], output.layout, output.holds, description, file)


def _check_channels(
    port: Port, layout: str, holds: str, description: Description, file: str
) -> None:
    """Labels that do not fit would swap faces and feet unnoticed."""
    if "c" not in layout or len(port.sides) != len(layout):
        return  # the trial sees what comes
    channels, wanted = port.sides[layout.index("c")], 1
    if holds == "labels":
        wanted = description.channel_count
    if isinstance(channels, int) and channels > 0 and channels != wanted:
        rule = description.background.rule
        raise ModelError(
            f"In the file {file}, there are {len(description.labels.names)} labels with the "
            f"background, and by background.rule = {rule!r} the output {port.name} should have "
            f"{count_channels(wanted)}: it has {channels}."
        )


def _by_name(ports: Iterable[Port]) -> Mapping[str, Port]:
    return {port.name: port for port in ports}
