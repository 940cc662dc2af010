"""Takes a multipart form apart so that every parser would do it in the same way, or refuses it.

The boundary may stand nowhere but between parts, lines end in CR LF, headers are of one line. So
neither preambles nor nested forms, bare line feeds nor padded boundaries leave a choice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import unquote

from inference.refusals import FORM_CUT_OFF, FORM_TOO_LARGE, NO_BOUNDARY, NOT_MULTIPART, Refused
from inference.upstream.requests.headers import check_charset, read_value
from inference.upstream.requests.sent_request import GatedBody

MEDIA_TYPE = "multipart/form-data"
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_MAX_HEADER_BYTES, _MAX_HEADERS = 4_096, 8
_EXTENDED = re.compile(r"(?i:utf-8)'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})+)")
_UNCLEAR_NAME = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]')
_AS_IT_IS = {"7bit", "8bit", "binary"}


@dataclass(frozen=True)
class FormPart:
    """One field of a form.

    Attributes:
        file_name: ``None`` where it is no file; without folders.
        media_type: as it was declared, without parameters.
    """

    name: str
    file_name: str | None
    media_type: str | None
    data: bytes


def read_parts(boundary: str, body: bytes, max_parts: int) -> tuple[FormPart, ...]:
    """The parts of a form, in their order.

    Raises:
        Refused: it is no form, or one that could be read in two ways.
    """
    if not boundary:
        raise Refused(NO_BOUNDARY)
    if not _BOUNDARY.fullmatch(boundary):
        raise Refused(NOT_MULTIPART)
    delimiter = b"--" + boundary.encode()
    if body.count(delimiter) > max_parts + 1:
        raise Refused(FORM_TOO_LARGE)
    before, *parts = body.split(delimiter)
    if before or not parts:
        raise Refused(NOT_MULTIPART)
    if parts.pop() not in {b"--", b"--\r\n"}:
        raise Refused(FORM_CUT_OFF)
    if not parts:
        raise Refused(NOT_MULTIPART)
    return tuple(map(_read_part, parts))


def write_parts(parts: Sequence[FormPart]) -> GatedBody:
    """A form of these parts; nobody can guess its boundary, so none of them can contain it."""
    boundary = token_hex(24)
    pieces = [piece for part in parts for piece in _write_part(boundary, part)]
    data = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return GatedBody(f"{MEDIA_TYPE}; boundary={boundary}", data)


def _read_part(part: bytes) -> FormPart:
    head, blank_line, data = part.partition(b"\r\n\r\n")
    if not (head.startswith(b"\r\n") and blank_line and data.endswith(b"\r\n")):
        raise Refused(NOT_MULTIPART)
    try:
        headers = _read_headers(head[2:])
        name, file_name = _read_names(headers["content-disposition"])
        media_type = _read_type(headers)
    except (ValueError, KeyError):
        raise Refused(NOT_MULTIPART) from None
    if headers.get("content-transfer-encoding", "binary").lower() not in _AS_IT_IS:
        raise Refused(NOT_MULTIPART)
    return FormPart(name, file_name, media_type, data[:-2])


def _read_headers(head: bytes) -> dict[str, str]:
    lines = head.split(b"\r\n")
    if len(head) > _MAX_HEADER_BYTES or len(lines) > _MAX_HEADERS:
        raise ValueError("too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise ValueError("no header")
        name = header[1].decode().lower()
        if name in headers:
            raise ValueError("a header stands twice")
        headers[name] = header[2].decode().strip()
    return headers


def _read_names(disposition: str) -> tuple[str, str | None]:
    value, parameters = read_value(disposition)
    if value != "form-data" or set(parameters) - {"name", "filename", "filename*"}:
        raise ValueError("not the disposition of a form")
    name, file_name = parameters["name"], _read_file_name(parameters)
    if not name or _UNCLEAR_NAME.search(name + (file_name or "")):
        raise ValueError("a name that is read in several ways")
    return name, None if file_name is None else file_name.rpartition("/")[2]


def _read_file_name(parameters: Mapping[str, str]) -> str | None:
    """In either form; if in both, they must say the same (.NET sends both always)."""
    plain, extended = parameters.get("filename"), parameters.get("filename*")
    if extended is None:
        return plain
    words = _EXTENDED.fullmatch(extended)
    if words is None:
        raise ValueError("a file name in another charset")
    file_name = unquote(words[1], errors="strict")
    # Where it is not ASCII, .NET writes the plain one as in mails.
    if plain not in {None, file_name} and not str(plain).startswith("=?utf-8?"):
        raise ValueError("two file names")
    return file_name


def _read_type(headers: Mapping[str, str]) -> str | None:
    if "content-type" not in headers:
        return None
    media_type, parameters = read_value(headers["content-type"])
    check_charset(parameters)
    if media_type.startswith(("multipart/", "message/")):
        raise ValueError("a form in a form")
    return media_type


def _write_part(boundary: str, part: FormPart) -> list[bytes]:
    file_name = "" if part.file_name is None else f'; filename="{part.file_name}"'
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"{file_name}\r\n'
    if part.media_type is not None:
        head += f"Content-Type: {part.media_type}\r\n"
    return [f"{head}\r\n".encode(), part.data, b"\r\n"]
