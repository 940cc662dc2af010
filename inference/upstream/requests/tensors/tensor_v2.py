"""Pictures in the Open Inference Protocol (v2): inputs in JSON, or in bytes behind the JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from inference.bodies.json_document import MEDIA_TYPE
from inference.refusals import FORM_TOO_LARGE, UNREADABLE_TENSOR, Refused
from inference.upload import Upload
from inference.upstream.presets.preset import PicturePlace
from inference.upstream.requests.json_body import read_texts
from inference.upstream.requests.json_document import (
    JsonSlot,
    check_rest,
    fill_slots,
    write_document,
)
from inference.upstream.requests.json_places import put_value
from inference.upstream.requests.places import check_counts
from inference.upstream.requests.sent_request import GatedBody, RequestLimits, SentRequest
from inference.upstream.requests.tensors.binary_tensors import (
    BinaryTensor,
    check_other,
    read_binary,
    split_chunks,
)
from inference.upstream.requests.tensors.pixel_tensors import write_pictures
from inference.upstream.requests.tensors.tensor_pixels import FlatSlot, read_numbers
from inference.upstream.requests.tensors.tensor_shapes import read_shape

HEAD_LENGTH = "inference-header-content-length"
_ANY = "*"
_MAX_INPUTS = 64


@dataclass(frozen=True)
class TensorBody:
    """A document with inputs, and the bytes of those that are binary, in their order.

    Attributes:
        slots: pictures in the document.
        binary: inputs behind it, with pictures or without.
        is_split: whether the length of the document was sent, with binary inputs or without.
    """

    document: object
    slots: Sequence[JsonSlot]
    binary: Sequence[BinaryTensor]
    is_split: bool

    def write(self, pictures: Sequence[bytes]) -> GatedBody:
        """The document anew, and the bytes behind it."""
        rest = iter(pictures)
        document = fill_slots(self.document, self.slots, rest)
        chunks = []
        for tensor in self.binary:
            value, chunk = tensor.write([next(rest) for _ in range(tensor.count)])
            document = put_value(document, tensor.place, value)
            chunks.append(chunk)
        head = write_document(document)
        if not self.is_split:
            return GatedBody(MEDIA_TYPE, head)
        headers = {HEAD_LENGTH: str(len(head))}
        return GatedBody("application/octet-stream", b"".join([head, *chunks]), headers)


def read_inputs(
    place: PicturePlace, document: Mapping[str, Any], tail: bytes | None, limits: RequestLimits
) -> SentRequest:
    """The pictures of the inputs that the place names: those in the document first.

    Args:
        tail: what is behind the document; ``None`` where its length was not sent.

    Raises:
        Refused: an input is written in another way, a picture is elsewhere, or there are too many
            or too few.
    """
    inputs = _check_inputs(document["inputs"])
    binary = list(split_chunks(inputs, tail or b""))
    _check_others([tensor for tensor in binary if not _is_named(place, tensor.tensor)], limits)
    texts = read_texts(document, [_list_texts_of(place, inputs)], limits)
    slots: list[JsonSlot] = list(texts.slots)
    uploads = list(texts.uploads)
    for slot, pictures in _read_pixels(place, inputs):
        slots.append(slot)
        uploads.extend(pictures)
    tensors = [_read_binary(place, tensor) for tensor in binary]
    uploads.extend(upload for _, pictures in tensors for upload in pictures)
    check_counts([place], [place] * len(uploads))
    check_rest(document, slots, limits)
    body = TensorBody(document, slots, [tensor for tensor, _ in tensors], tail is not None)
    holders = [slot.place[1] for slot in slots] + [each.place[1] for each, p in tensors if p]
    # Pictures of several inputs are no batch, and which parse is whose is not said.
    return SentRequest(tuple(uploads), body, is_itemized=len(set(holders)) <= 1)


def _check_inputs(inputs: object) -> list[dict[str, Any]]:
    if not isinstance(inputs, list) or len(inputs) > _MAX_INPUTS:
        raise Refused(UNREADABLE_TENSOR)
    if not all(isinstance(each, dict) for each in inputs):
        raise Refused(UNREADABLE_TENSOR)
    names = [each.get("name") for each in inputs]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise Refused(UNREADABLE_TENSOR)
    return inputs


def _is_named(place: PicturePlace, tensor: Mapping[str, Any]) -> bool:
    return _ANY in place.names or tensor["name"] in place.names


def _list_texts_of(place: PicturePlace, inputs: Sequence[Mapping[str, Any]]) -> PicturePlace:
    """Elements of BYTES in the document, as JSON pointers."""
    names = []
    for index, tensor in enumerate(inputs):
        if _is_named(place, tensor) and tensor.get("datatype") == "BYTES" and "data" in tensor:
            _check_elements(tensor)
            names.append(f"/inputs/{index}/data/*")
    return place.model_copy(update={"body": "json", "names": tuple(names)})


def _check_elements(tensor: Mapping[str, Any]) -> None:
    data = tensor["data"]
    if not isinstance(data, list) or len(data) != prod(read_shape(tensor)):
        raise Refused(UNREADABLE_TENSOR)
    if not all(isinstance(element, str) for element in data):
        raise Refused(UNREADABLE_TENSOR)


def _read_pixels(
    place: PicturePlace, inputs: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[FlatSlot, tuple[Upload, ...]]]:
    for index, tensor in enumerate(inputs):
        is_binary = "data" not in tensor
        if is_binary or not _is_named(place, tensor) or tensor.get("datatype") == "BYTES":
            continue
        if tensor.get("datatype") != "UINT8":
            raise Refused(UNREADABLE_TENSOR)
        shape = read_shape(tensor)
        pixels = read_numbers(tensor["data"], shape)
        yield FlatSlot(("inputs", index), tensor, shape), write_pictures(pixels, place.max_pictures)


def _read_binary(
    place: PicturePlace, tensor: BinaryTensor
) -> tuple[BinaryTensor, tuple[Upload, ...]]:
    if _is_named(place, tensor.tensor):
        return read_binary(tensor, place.max_pictures)
    return tensor, ()


def _check_others(tensors: Sequence[BinaryTensor], limits: RequestLimits) -> None:
    if sum(len(tensor.chunk) for tensor in tensors) > limits.max_text_bytes:
        raise Refused(FORM_TOO_LARGE)
    for tensor in tensors:
        check_other(tensor)
