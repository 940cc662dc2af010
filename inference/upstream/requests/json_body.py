"""Pictures in JSON: as base64, as data URLs, or as objects of Gradio."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.bodies.json_document import read_small_document
from inference.refusals import FORM_TOO_LARGE, NOT_JSON, PICTURE_ELSEWHERE, Refused
from inference.upload import Upload
from inference.upstream.presets.preset import PicturePlace
from inference.upstream.requests.gradio_files import read_path
from inference.upstream.requests.json_document import JsonBody, TextSlot, check_rest
from inference.upstream.requests.json_places import JsonText, Pointer, fits_pointer, list_texts
from inference.upstream.requests.picture_text import (
    check_other_text,
    is_data_url,
    read_picture_text,
)
from inference.upstream.requests.places import check_counts, check_most
from inference.upstream.requests.sent_request import RequestLimits, SentPath, SentRequest


def read_json(places: Sequence[PicturePlace], body: bytes, limits: RequestLimits) -> SentRequest:
    """The pictures of a document.

    Raises:
        Refused: it can be read in two ways, holds a picture elsewhere or an address instead, a
            picture is missing, or there are too many.
    """
    # Base64 has no commas: so many would be of other things, and each costs time.
    if body.count(b",") > limits.max_text_bytes:
        raise Refused(FORM_TOO_LARGE)
    document = read_small_document(body)
    texts = read_texts(document, places, limits)
    check_counts(places, texts.occupied)
    check_rest(document, texts.slots, limits)
    parsed = JsonBody(document, tuple(texts.slots))
    return SentRequest(tuple(texts.uploads), parsed, tuple(texts.paths))


@dataclass
class Texts:
    """What the texts of a document are: pictures with their slots and places, paths, or others."""

    limits: RequestLimits
    uploads: list[Upload] = field(default_factory=list)
    slots: list[TextSlot] = field(default_factory=list)
    occupied: list[PicturePlace] = field(default_factory=list)
    paths: list[SentPath] = field(default_factory=list)
    other_bytes: int = 0

    def add(self, text: JsonText, places: Sequence[PicturePlace]) -> None:
        """Take in a text.

        Raises:
            Refused: it is a picture elsewhere, an address instead of one, or no picture, or it is
                one too many.
        """
        place = next((place for place in places if _fits(place, text.place)), None)
        if place is None:
            _check_spelling(places, text.place)
            self._add_other(text.text)
        elif place.coding == "gradio_file" and not is_data_url(text.text):
            path = read_path(text)
            self.paths += [] if path is None else [path]
            self._add_other(text.text)
        else:
            self._add_picture(text, place)

    def _add_other(self, text: str) -> None:
        self.other_bytes += len(text) + 1
        if self.other_bytes > self.limits.max_text_bytes:
            raise Refused(FORM_TOO_LARGE)
        check_other_text(text)

    def _add_picture(self, text: JsonText, place: PicturePlace) -> None:
        upload, style = read_picture_text(text.text, place, self.limits.max_picture_bytes)
        self.uploads.append(upload)
        self.slots.append(TextSlot(text.place, style))
        self.occupied.append(place)
        check_most(self.occupied)


def read_texts(document: object, places: Sequence[PicturePlace], limits: RequestLimits) -> Texts:
    """Every text of an object or a list.

    Raises:
        Refused: it is neither, is too deep, or one of its texts is refused.
    """
    if not isinstance(document, dict | list):
        raise Refused(NOT_JSON)
    texts = Texts(limits)
    for text in list_texts(document, limits.max_depth):
        texts.add(text, places)
    return texts


def _fits(place: PicturePlace, pointer: Pointer) -> bool:
    return any(fits_pointer(name, pointer) for name in place.names)


def _check_spelling(places: Sequence[PicturePlace], pointer: Pointer) -> None:
    """Refuse another spelling of a picture's name: some readers do not tell them apart."""
    small = tuple(step.lower() if isinstance(step, str) else step for step in pointer)
    if any(fits_pointer(name.lower(), small) for place in places for name in place.names):
        raise Refused(PICTURE_ELSEWHERE)
