"""Pictures in multipart forms (RFC 7578)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference.gate.media import detect, names_otherwise
from inference.refusals import (
    FORM_TOO_LARGE,
    NO_FILE,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    Refused,
)
from inference.upload import Upload
from inference.upstream.presets.preset import PicturePlace
from inference.upstream.requests.form_parts import FormPart, read_parts, write_parts
from inference.upstream.requests.picture_text import (
    PictureText,
    check_other_text,
    name_type,
    read_picture_text,
)
from inference.upstream.requests.places import check_counts
from inference.upstream.requests.sent_request import GatedBody, RequestLimits, SentRequest


@dataclass(frozen=True)
class FormPicture:
    """A part that is a picture.

    Attributes:
        index: of the part.
        text: how it is written, where it is no file.
    """

    index: int
    upload: Upload
    place: PicturePlace
    text: PictureText | None = None


@dataclass(frozen=True)
class FormBody:
    """The parts of a form, and which of them are pictures."""

    parts: tuple[FormPart, ...]
    pictures: tuple[FormPicture, ...]

    def write(self, pictures: Sequence[bytes]) -> GatedBody:
        """A form with a boundary of its own."""
        parts = list(self.parts)
        for picture, data in zip(self.pictures, pictures, strict=True):
            parts[picture.index] = _replace(parts[picture.index], picture.text, data)
        return write_parts(parts)


def read_form(
    places: Sequence[PicturePlace], boundary: str, body: bytes, limits: RequestLimits
) -> SentRequest:
    """The pictures of a form.

    Raises:
        Refused: it can be read in two ways, a file is in another field, a picture is missing, or
            there are too many.
    """
    parts = read_parts(boundary, body, limits.max_parts)
    pictures = []
    for index, part in enumerate(parts):
        picture = _read_part(index, part, places, limits)
        if picture is not None:
            pictures.append(picture)
    check_counts(places, [picture.place for picture in pictures])
    _check_rest(parts, {picture.index for picture in pictures}, limits)
    return SentRequest(tuple(p.upload for p in pictures), FormBody(parts, tuple(pictures)))


def _read_part(
    index: int, part: FormPart, places: Sequence[PicturePlace], limits: RequestLimits
) -> FormPicture | None:
    place = next((place for place in places if part.name in place.names), None)
    if part.file_name is None:
        return None if place is None else _read_text(index, part, place, limits)
    if not part.file_name and not part.data:
        return None  # a page's field for a file in which none was chosen
    if place is None or place.coding != "raw":
        raise Refused(PICTURE_ELSEWHERE)
    if len(part.data) > limits.max_picture_bytes:
        raise Refused(TOO_MANY_BYTES)
    return FormPicture(index, Upload.hash_now(part.data, part.media_type, part.file_name), place)


def _read_text(
    index: int, part: FormPart, place: PicturePlace, limits: RequestLimits
) -> FormPicture:
    if place.coding == "raw":
        raise Refused(NO_FILE)
    # What is not ASCII is no base64 either.
    text = part.data.decode("latin-1")
    upload, style = read_picture_text(text, place, limits.max_picture_bytes)
    return FormPicture(index, upload, place, style)


def _check_rest(parts: Sequence[FormPart], pictures: set[int], limits: RequestLimits) -> None:
    others = [part for index, part in enumerate(parts) if index not in pictures]
    if sum(len(part.data) for part in others) > limits.max_text_bytes:
        raise Refused(FORM_TOO_LARGE)
    for part in others:
        if detect(part.data) is not None:
            raise Refused(PICTURE_ELSEWHERE)
        check_other_text(part.data.decode("latin-1"))


def _replace(part: FormPart, text: PictureText | None, picture: bytes) -> FormPart:
    if text is not None:
        return replace(part, data=text.write(picture).encode("ascii"))
    file_name = _rename(part.file_name or "", picture)
    return replace(part, data=picture, media_type=name_type(picture), file_name=file_name)


def _rename(file_name: str, picture: bytes) -> str:
    """The same name, with the suffix of the content where it had that of another type."""
    media_type = detect(picture)
    if media_type is None or not names_otherwise(file_name, media_type):
        return file_name
    return f"{file_name.rpartition('.')[0]}.{media_type.value.rpartition('/')[2]}"
