"""Finds the places of pictures in one request: each guess is tried with the reader of requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from pydantic import ValidationError

from inference.bodies.base64_text import decode_base64, split_data_url
from inference.bodies.json_document import MEDIA_TYPE as JSON
from inference.bodies.json_document import read_document
from inference.gate.media import detect
from inference.refusals import Refused
from inference.upload import Upload
from inference.upstream.learning.sample import Sample
from inference.upstream.presets.preset import MAX_PICTURES, Door, PicturePlace
from inference.upstream.requests.form_parts import MEDIA_TYPE as FORM
from inference.upstream.requests.form_parts import FormPart, read_parts
from inference.upstream.requests.headers import read_content_type
from inference.upstream.requests.json_places import JsonText, Pointer, list_texts, write_pointer
from inference.upstream.requests.picture_text import is_data_url
from inference.upstream.requests.read import read_request
from inference.upstream.requests.sent_request import RequestLimits
from inference.upstream.requests.tensors.tensor_v2 import HEAD_LENGTH

Alphabet = Literal["standard", "url", "either"]
Coding = Literal["base64", "data_url", "either"]
Places = tuple[PicturePlace, ...]

_ALPHABETS: tuple[Alphabet, ...] = ("standard", "url", "either")
_MIN_CHARACTERS = 40
_GRADIO_TYPE = "gradio.FileData"
_GRADIO = PicturePlace(
    body="json", names=("/**",), coding="gradio_file", min_pictures=0, max_pictures=8
)


@dataclass(frozen=True)
class PictureRequest:
    """What was found in a request.

    Attributes:
        places: that the reader of requests takes; empty if it takes none.
        uploads: the pictures in them.
        problem: why they are empty, though something looks like a picture.
    """

    places: Places = ()
    uploads: tuple[Upload, ...] = ()
    problem: str | None = None


def find_places(sample: Sample, limits: RequestLimits) -> PictureRequest | None:
    """The places of a request's pictures; ``None`` if nothing in it looks like one."""
    if not sample.body:
        return None
    try:
        guesses = list(_guess(sample, sample.body, limits))
    except Refused as error:
        return PictureRequest(problem=error.refusal.sentence)
    except ValidationError:
        return PictureRequest(problem="Its field has a name that no preset can say.")
    problem = None
    for places in guesses:
        door = Door(name="guess", kind="picture", paths=("/",), places=places)
        try:
            sent = read_request(door, sample.headers, sample.body, limits)
        except Refused as error:
            problem = problem or error.refusal.sentence
            continue
        if sent.uploads or sent.paths:
            return PictureRequest(places, sent.uploads)
    return PictureRequest(problem=problem) if problem else None


def _guess(sample: Sample, body: bytes, limits: RequestLimits) -> Iterator[Places]:
    media_type, parameters = read_content_type(sample.headers)
    is_split = any(name.lower() == HEAD_LENGTH.encode() for name, _ in sample.headers)
    if media_type == FORM:
        parts = read_parts(parameters.get("boundary", ""), body, limits.max_parts)
        yield from _guess_form(parts)
    elif media_type == JSON or is_split:
        head = body[: _head_length(sample)] if is_split else body
        yield from _guess_document(read_document(head), limits)
    elif detect(body) is not None:
        yield (PicturePlace(body="raw"),)


def _head_length(sample: Sample) -> int:
    values = [value for name, value in sample.headers if name.lower() == HEAD_LENGTH.encode()]
    return int(values[0]) if values[0].isdigit() and len(values[0]) < len("9" * 12) else 0


def _guess_form(parts: Sequence[FormPart]) -> Iterator[Places]:
    files = [p.name for p in parts if p.file_name is not None and detect(p.data) is not None]
    texts = [
        (part.name, text)
        for part in parts
        if part.file_name is None and _is_picture(text := part.data.decode("latin-1"))
    ]
    names, coding = _unite([name for name, _ in texts]), _coding_of([text for _, text in texts])
    in_files: Places = ()
    if files:
        in_files = (PicturePlace(body="form", names=_unite(files), max_pictures=_cap(files)),)
    if not texts:
        yield from [in_files] if files else []
        return
    for alphabet, is_lenient in product(_ALPHABETS, (False, True)):
        in_texts = PicturePlace(
            body="form",
            names=names,
            coding=coding,
            alphabet=alphabet,
            is_lenient=is_lenient,
            max_pictures=_cap(texts),
        )
        yield (*in_files, in_texts)


def _guess_document(document: object, limits: RequestLimits) -> Iterator[Places]:
    if isinstance(document, dict) and ("inputs" in document) is not ("instances" in document):
        yield from _guess_tensors(document)
    if not isinstance(document, dict | list):
        return
    texts = list(list_texts(document, limits.max_depth))
    if any(_is_gradio(text) for text in texts):
        yield (_GRADIO,)
    pictures = [text for text in texts if _is_picture(text.text)]
    if not pictures:
        return
    names, coding = _name_pointers(pictures), _coding_of([text.text for text in pictures])
    for alphabet, is_lenient in product(_ALPHABETS, (False, True)):
        yield (
            PicturePlace(
                body="json",
                names=names,
                coding=coding,
                alphabet=alphabet,
                is_lenient=is_lenient,
                max_pictures=_cap(pictures),
            ),
        )


def _guess_tensors(document: dict[str, Any]) -> Iterator[Places]:
    """One tensor first, then all of them, in each alphabet."""
    names = _name_tensors(document)
    groups = [(name,) for name in names] + [names or ("*",)]
    for group, alphabet, is_lenient in product(groups, _ALPHABETS, (False, True)):
        yield (
            PicturePlace(
                body="tensors",
                names=group,
                coding="base64",
                alphabet=alphabet,
                is_lenient=is_lenient,
                max_pictures=8,
            ),
        )


def _name_tensors(document: dict[str, Any]) -> tuple[str, ...]:
    members = document.get("inputs", document.get("instances"))
    if not isinstance(members, list):
        return ()
    objects = [member for member in members[:MAX_PICTURES] if isinstance(member, dict)]
    if "inputs" in document:
        names = [each["name"] for each in objects if isinstance(each.get("name"), str)]
    else:
        names = [key for each in objects for key in each if key != "b64"]
    return _unite([name for name in names if name.strip()])


def _is_gradio(text: JsonText) -> bool:
    return text.place[-1] == "_type" and text.text == _GRADIO_TYPE


def _name_pointers(texts: Sequence[JsonText]) -> tuple[str, ...]:
    """Pointers in which a place in a list is any place."""
    return _unite([write_pointer(_open_lists(text.place)) for text in texts])


def _open_lists(place: Pointer) -> Pointer:
    return tuple("*" if isinstance(step, int) else step for step in place)


def _is_picture(text: str) -> bool:
    """Whether a text is a picture, however it is written."""
    if len(text) < _MIN_CHARACTERS:
        return False
    try:
        return detect(decode_base64(split_data_url(text)[1])) is not None
    except Refused:
        return False


def _coding_of(texts: Sequence[str]) -> Coding:
    kinds = {is_data_url(text) for text in texts}
    if len(kinds) > 1:
        return "either"
    return "data_url" if kinds == {True} else "base64"


def _unite(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _cap(pictures: Sequence[object]) -> int:
    return max(1, min(len(pictures), MAX_PICTURES))
