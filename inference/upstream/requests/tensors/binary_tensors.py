"""Tensors behind a JSON document (the binary data extension of the Open Inference Protocol)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import numpy as np

from inference.gate.media import detect
from inference.refusals import PICTURE_ELSEWHERE, TOO_MANY_PICTURES, UNREADABLE_TENSOR, Refused
from inference.upload import Upload
from inference.upstream.requests.json_places import Pointer
from inference.upstream.requests.tensors.pixel_tensors import read_pictures, write_pictures
from inference.upstream.requests.tensors.tensor_shapes import count_pictures, read_shape

_SIZE = "binary_data_size"
_LENGTH_BYTES = 4  # little-endian, in front of each element of BYTES


@dataclass(frozen=True)
class BinaryTensor:
    """An input whose data is behind the document.

    Attributes:
        place: of the input in the document.
        content: files or pixels of pictures, or something else.
    """

    place: Pointer
    tensor: Mapping[str, Any]
    chunk: bytes
    shape: tuple[int, ...] = ()
    content: Literal["files", "pixels", "other"] = "other"

    @property
    def count(self) -> int:
        """How many pictures it holds."""
        if self.content == "files":
            return prod(self.shape)
        return count_pictures(self.shape) if self.content == "pixels" else 0

    def write(self, pictures: Sequence[bytes]) -> tuple[object, bytes]:
        """The input and its data, with these pictures."""
        chunk, shape = self.chunk, self.shape
        if self.content == "files":
            chunk = b"".join(
                len(each).to_bytes(_LENGTH_BYTES, "little") + each for each in pictures
            )
        if self.content == "pixels":
            pixels = read_pictures(pictures, self.shape)
            chunk, shape = pixels.tobytes(), pixels.shape
        parameters = self.tensor["parameters"] | {_SIZE: len(chunk)}
        own_shape = {} if self.content == "other" else {"shape": list(shape)}
        return {**self.tensor, **own_shape, "parameters": parameters}, chunk


def split_chunks(inputs: Sequence[Mapping[str, Any]], tail: bytes) -> Iterator[BinaryTensor]:
    """The inputs whose data is in the bytes behind the document, none of which is left over.

    Raises:
        Refused: the sizes do not fit the bytes, or an input has its data twice.
    """
    start = 0
    for index, tensor in enumerate(inputs):
        parameters = tensor.get("parameters", {})
        if not isinstance(parameters, dict):
            raise Refused(UNREADABLE_TENSOR)
        if _SIZE not in parameters:
            continue
        size = parameters[_SIZE]
        if type(size) is not int or not 0 <= size <= len(tail) - start or "data" in tensor:
            raise Refused(UNREADABLE_TENSOR)
        yield BinaryTensor(("inputs", index), tensor, tail[start : start + size])
        start += size
    if start != len(tail):
        raise Refused(UNREADABLE_TENSOR)


def read_binary(tensor: BinaryTensor, max_pictures: int) -> tuple[BinaryTensor, tuple[Upload, ...]]:
    """An input that holds pictures, and these.

    Raises:
        Refused: it is of another type than BYTES and UINT8, its shape does not fit its data, or
            there are more pictures.
    """
    shape = read_shape(tensor.tensor)
    if tensor.tensor.get("datatype") == "BYTES":
        files = list_elements(tensor.chunk, max_pictures)
        if len(files) != prod(shape):
            raise Refused(UNREADABLE_TENSOR)
        uploads = tuple(map(Upload.hash_now, files))
        return replace(tensor, shape=shape, content="files"), uploads
    if tensor.tensor.get("datatype") != "UINT8" or len(tensor.chunk) != prod(shape):
        raise Refused(UNREADABLE_TENSOR)
    pixels = np.frombuffer(tensor.chunk, np.uint8).reshape(shape)
    return replace(tensor, shape=shape, content="pixels"), write_pictures(pixels, max_pictures)


def check_other(tensor: BinaryTensor) -> None:
    """Refuse pictures in an input that is not for any.

    Raises:
        Refused: one of its elements begins as pictures do.
    """
    is_bytes = tensor.tensor.get("datatype") == "BYTES"
    elements = list_elements(tensor.chunk, len(tensor.chunk)) if is_bytes else [tensor.chunk]
    if any(detect(element) is not None for element in elements):
        raise Refused(PICTURE_ELSEWHERE)


def list_elements(chunk: bytes, max_elements: int) -> list[bytes]:
    """The elements of a tensor of BYTES.

    Raises:
        Refused: a length goes beyond the end, or there are more elements.
    """
    elements: list[bytes] = []
    start = 0
    while start < len(chunk):
        begin = start + _LENGTH_BYTES
        end = begin + int.from_bytes(chunk[start:begin], "little")
        if begin > len(chunk) or end > len(chunk):
            raise Refused(UNREADABLE_TENSOR)
        if len(elements) == max_elements:
            raise Refused(TOO_MANY_PICTURES)
        elements.append(chunk[begin:end])
        start = end
    return elements
