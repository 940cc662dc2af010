"""Tensors in KServe's protocols (Open Inference Protocol 2 with binary data, and version 1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

from inference.upstream.answers.answer import ALONE, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.json_cursor import JsonCursor
from inference.upstream.answers.texts.number_rows import read_array

Floats = npt.NDArray[np.float32]

# Of one tensor: 67 MB as float32.
MAX_VALUES = 1 << 24
_MAX_OUTPUTS = 64
_MAX_AXES = 5
_TYPES = {
    "BOOL": "?",
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}


@dataclass
class _Output:
    """What was read of one output so far."""

    members: dict[str, object] = field(default_factory=dict)
    values: Floats | None = None

    @property
    def name(self) -> object:
        return self.members.get("name")

    @property
    def binary_size(self) -> int | None:
        """Bytes behind the JSON; ``None`` if the values stand in it."""
        parameters = self.members.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, Mapping) else None
        if size is None:
            return None
        if type(size) is not int or not 0 <= size <= 8 * MAX_VALUES:
            raise AnswerUnreadable("The answer has a tensor that is larger than a picture needs.")
        return size


def read_v2(chunks: Iterable[bytes], name: str | None) -> Floats:
    """An output of version 2; binary data stands behind the JSON, in the order of the outputs.

    Args:
        name: which output; ``None`` if there is one only.

    Raises:
        AnswerUnreadable: it is not there, or not as the protocol says.
    """
    cursor, outputs = JsonCursor(chunks), list[_Output]()
    for key in cursor.iterate_names():
        if key != "outputs":
            cursor.skip_value()
            continue
        for place in cursor.iterate_places():
            if place >= _MAX_OUTPUTS:
                raise AnswerUnreadable("The answer has more tensors than are read.")
            outputs.append(_read_output(cursor, name))
    output = _choose(outputs, name)
    is_binary = any(each.binary_size is not None for each in outputs)
    if is_binary:
        return _read_binary(outputs, output, b"".join(cursor.read_rest()))
    if cursor.peek():
        raise AnswerUnreadable("The answer has something behind its JSON.")
    return _shape_values(output)


def read_v1(chunks: Iterable[bytes], name: str | None, part: Part = ALONE) -> Floats:
    """The prediction of version 1 for one picture; there is one for each instance, in their order.

    Args:
        name: key of the prediction's tensor; ``None`` if it is a tensor itself.
        part: of which picture.

    Raises:
        AnswerUnreadable: it is not there, or not as the protocol says.
    """
    cursor, tensors = JsonCursor(chunks), list[Floats]()
    for key in cursor.iterate_names():
        if key == "predictions":
            tensors += _read_predictions(cursor, name, part)
        else:
            cursor.skip_value()
    if cursor.peek():
        raise AnswerUnreadable("The answer has something behind its JSON.")
    if len(tensors) != 1:
        raise AnswerUnreadable("The answer has no prediction with the preset's tensor.")
    return tensors[0]


def _read_predictions(cursor: JsonCursor, name: str | None, part: Part) -> list[Floats]:
    tensors, count = list[Floats](), 0
    for place in cursor.iterate_places():
        if place == part.place:
            tensors += _read_prediction(cursor, name)
        else:
            cursor.skip_value()
        count += 1
    if count != part.count:
        raise AnswerUnreadable(f"The answer has {count} predictions for {part.count} pictures.")
    return tensors


def _read_prediction(cursor: JsonCursor, name: str | None) -> list[Floats]:
    if name is None:
        return [read_array(cursor, MAX_VALUES)]
    tensors = []
    for key in cursor.iterate_names():
        if key == name:
            tensors.append(read_array(cursor, MAX_VALUES))
        else:
            cursor.skip_value()
    return tensors


def _read_output(cursor: JsonCursor, name: str | None) -> _Output:
    output = _Output()
    for key in cursor.iterate_names():
        is_other = name is not None and output.name not in (None, name)
        if key != "data":
            output.members[key] = cursor.read_value()
        elif is_other:
            cursor.skip_value()
        else:
            output.values = read_array(cursor, MAX_VALUES)
    return output


def _choose(outputs: list[_Output], name: str | None) -> _Output:
    choice = [output for output in outputs if name is None or output.name == name]
    if len(choice) != 1:
        raise AnswerUnreadable("The answer has not exactly one tensor of the preset's name.")
    return choice[0]


def _read_binary(outputs: list[_Output], output: _Output, data: bytes) -> Floats:
    sizes = [each.binary_size or 0 for each in outputs]
    if sum(sizes) != len(data):
        raise AnswerUnreadable("The answer has not as much binary data as it says.")
    if output.binary_size is None:
        return _shape_values(output)
    start = sum(sizes[: outputs.index(output)])
    kind = _TYPES.get(str(output.members.get("datatype")))
    if kind is None or output.binary_size % np.dtype(kind).itemsize:
        raise AnswerUnreadable("The answer has a tensor of a type that is not read here.")
    values = np.frombuffer(data[start : start + output.binary_size], dtype=kind)
    with np.errstate(over="ignore"):
        return _shape(values.astype(np.float32), output)


def _shape_values(output: _Output) -> Floats:
    if output.values is None:
        raise AnswerUnreadable("The answer has a tensor without data.")
    return _shape(output.values, output)


def _shape(values: npt.NDArray[np.float32], output: _Output) -> Floats:
    shape = output.members.get("shape")
    if (
        not isinstance(shape, list)
        or not 0 < len(shape) <= _MAX_AXES
        or any(type(side) is not int or side < 1 for side in shape)
        or prod(shape) != values.size
    ):
        raise AnswerUnreadable("The answer has a tensor whose shape does not fit its data.")
    return values.reshape(shape)
