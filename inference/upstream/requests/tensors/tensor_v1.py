"""Pictures in KServe's protocol v1: ``instances`` of base64 or of nested numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from inference.refusals import NOT_JSON, Refused
from inference.upload import Upload
from inference.upstream.presets.preset import PicturePlace
from inference.upstream.requests.json_body import read_texts
from inference.upstream.requests.json_document import JsonBody, JsonSlot, check_rest
from inference.upstream.requests.json_places import Pointer
from inference.upstream.requests.places import check_counts, check_most
from inference.upstream.requests.sent_request import RequestLimits, SentRequest
from inference.upstream.requests.tensors.pixel_tensors import write_pictures
from inference.upstream.requests.tensors.tensor_pixels import NestedSlot, read_numbers

_ANY = "*"


def read_instances(
    place: PicturePlace, document: Mapping[str, Any], limits: RequestLimits
) -> SentRequest:
    """The pictures of instances; each is one, or an object with one in a key that the place names.

    Raises:
        Refused: they are written in another way, or are too many or too few.
    """
    if not isinstance(document["instances"], list):
        raise Refused(NOT_JSON)
    texts = read_texts(document, [_list_texts_of(place)], limits)
    filled: list[tuple[JsonSlot, tuple[Upload, ...]]] = [
        (slot, (upload,)) for slot, upload in zip(texts.slots, texts.uploads, strict=True)
    ]
    for slot, pictures in _read_lists(place, document["instances"]):
        filled.append((slot, pictures))
        check_most([place] * sum(len(each) for _, each in filled))
    # In the order of the instances, which is that of the predictions.
    filled.sort(key=lambda pair: pair[0].place[1])
    slots = [slot for slot, _ in filled]
    uploads = tuple(upload for _, pictures in filled for upload in pictures)
    check_counts([place], [place] * len(uploads))
    check_rest(document, slots, limits)
    is_itemized = [slot.place[1] for slot in slots] == list(range(len(document["instances"])))
    body = JsonBody(document, slots)
    return SentRequest(uploads, body, is_itemized=is_itemized and len(slots) == len(uploads))


def _list_texts_of(place: PicturePlace) -> PicturePlace:
    """The same place as JSON pointers: as they are, or in an object as TensorFlow writes bytes."""
    keys = [name.replace("~", "~0").replace("/", "~1") for name in place.names]
    ends = ["", "/b64", *(f"/{key}" for key in keys), *(f"/{key}/b64" for key in keys)]
    names = tuple(f"/instances/*{end}" for end in ends)
    return place.model_copy(update={"body": "json", "names": names})


def _read_lists(
    place: PicturePlace, instances: list[Any]
) -> Iterator[tuple[NestedSlot, tuple[Upload, ...]]]:
    for pointer, value in _list_values(place, instances):
        if isinstance(value, list):
            pixels = read_numbers(value)
            yield (
                NestedSlot(("instances", *pointer), pixels.shape),
                write_pictures(pixels, place.max_pictures),
            )


def _list_values(place: PicturePlace, instances: list[Any]) -> Iterator[tuple[Pointer, object]]:
    for index, instance in enumerate(instances):
        yield (index,), instance
        for key, value in instance.items() if isinstance(instance, dict) else ():
            if key in place.names or _ANY in place.names:
                yield (index, key), value
