"""Takes a multipart form apart (RFC 7578). It runs in a thread: its time grows with the body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from inference.bodies.base64_text import decode_base64
from inference.http.parameters import read_parameters
from inference.refusals import (
    FORM_CUT_OFF,
    FORM_TOO_LARGE,
    NO_BOUNDARY,
    NO_FILE,
    NOT_MULTIPART,
    SECOND_FILE,
    WRONG_FIELD,
    Refused,
)
from inference.upload import Upload

MEDIA_TYPE = "multipart/form-data"
_MAX_BOUNDARY_CHARACTERS = 70  # RFC 2046
_MAX_PARTS, _MAX_PADDING_BYTES = 32, 64
_MAX_PART_HEADERS, _MAX_PART_HEADER_BYTES = 8, 2_048
_MAX_TEXT_BYTES = 16_384
_FILE_TYPES = ("image/", "application/octet-stream")
_TEXT_TYPES = ("text/", "application/json")


@dataclass(frozen=True)
class SentForm:
    """A form as it came: nothing in it was looked at yet.

    Attributes:
        boundary: the only thing that is taken over from the media type that the client declared.
        chunks: the body, in pieces as they came; taken out when the form is read.
        fields: names that the field of the file may have.
    """

    boundary: bytes
    chunks: list[bytes]
    fields: Sequence[str]

    def read_upload(self) -> Upload:
        """The file of the form, hashed.

        Raises:
            Refused: it is no complete form, it lacks the file, or holds much besides it.
        """
        body = b"".join(self.chunks)
        self.chunks.clear()
        return _read_parts(self.boundary, body, self.fields).upload()


def check_boundary(boundary: str) -> bytes:
    """The boundary of a form.

    Raises:
        Refused: it is missing, or no boundary.
    """
    if not boundary:
        raise Refused(NO_BOUNDARY)
    if not boundary.isascii() or len(boundary) > _MAX_BOUNDARY_CHARACTERS:
        raise Refused(NOT_MULTIPART)
    return boundary.encode()


def _check_delimiters(delimiter: bytes, body: bytes) -> None:
    """Refuse too many lines that begin like a boundary, and long blanks after one.

    The parser looks at those byte by byte; everything else it searches through.
    """
    count, at = 0, body.find(delimiter)
    while at >= 0:
        count, at = count + 1, at + len(delimiter)
        padding = body[at : at + _MAX_PADDING_BYTES]
        is_padded = len(padding) == _MAX_PADDING_BYTES and not padding.strip(b" \t")
        if is_padded or count > _MAX_PARTS:
            raise Refused(FORM_TOO_LARGE)
        at = body.find(delimiter, at)


def _read_parts(boundary: bytes, body: bytes, fields: Sequence[str]) -> "_Parts":
    _check_delimiters(b"\r\n--" + boundary, body)
    parts = _Parts(fields)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.add_header_name,
            "on_header_value": parts.add_header_value,
            "on_header_end": parts.end_header,
            "on_headers_finished": parts.end_headers,
            "on_part_data": parts.add_data,
            "on_end": parts.end,
        },
        max_header_count=_MAX_PART_HEADERS,
        max_header_size=_MAX_PART_HEADER_BYTES,
    )
    try:
        parser.write(_without_preamble(b"--" + boundary, body))
    except FormParserError:
        raise Refused(NOT_MULTIPART) from None
    return parts


def _without_preamble(delimiter: bytes, body: bytes) -> bytes:
    """The body from its first boundary on; what stands before it is for people to read."""
    if body.startswith(delimiter):
        return body
    return body[max(0, body.find(b"\r\n" + delimiter)) :]


def _read_text(parameters: Mapping[str, str], name: str) -> str | None:
    """A parameter as every client should send it, or as some do instead; read as UTF-8 always.

    That is with a charset (RFC 8187), or in numbered pieces (RFC 2231), as mail libraries write it.
    """
    if name in parameters:
        return parameters[name]
    if f"{name}*" in parameters:
        return _decode_text(parameters[f"{name}*"])
    keys = (f"{name}*{number}" for number in range(len(parameters)))
    names = (key if key in parameters else f"{key}*" for key in keys)
    text = "".join(parameters[key] for key in takewhile(parameters.__contains__, names))
    return _decode_text(text) if f"{name}*0*" in parameters else text or None


def _decode_text(text: str) -> str:
    return unquote(text.rpartition("'")[2], "utf-8", "replace")


def _name_field(fields: Sequence[str]) -> str:
    return f"The file is in a field of another name: send the picture in the field '{fields[0]}'."


@dataclass
class _Part:
    """A part, as far as it was read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None

    @property
    def media_type(self) -> str | None:
        """The type that the client declares, with its parameters."""
        declared = self.headers.get(b"content-type")
        return None if declared is None else declared.decode("latin-1")

    def is_file(self, fields: Sequence[str]) -> bool:
        """Whether it is a file, though names of files are no duty (RFC 7578, section 4.2).

        Pages send their own words as files as well: a ``Blob`` of JSON gets a file's name.
        """
        media_type = (self.media_type or "").partition(";")[0].strip().lower()
        if self.name in fields:
            return self.file_name is not None or media_type.startswith(_FILE_TYPES)
        return self.file_name is not None and not media_type.startswith(_TEXT_TYPES)


def _unpack(part: _Part, content: bytes) -> bytes:
    """The file's bytes; mail libraries write them as text, which RFC 7578 does not ask for.

    What only says that it is such a text is taken as it is: no picture can be read in both ways.
    """
    encoding = part.headers.get(b"content-transfer-encoding", b"").strip().lower()
    if encoding != b"base64":
        return content
    try:
        return decode_base64(content.decode("latin-1"))
    except Refused:
        return content


class _Parts:
    """What the parser finds: one file, which may be large, and a little text."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._text_bytes = 0
        self._part = _Part()
        self._header_name = self._header_value = b""
        self._file: _Part | None = None
        self._pieces: list[bytes] = []
        self._is_complete = False

    def upload(self) -> Upload:
        """The file.

        Raises:
            Refused: the form was cut off, or holds none.
        """
        if not self._is_complete:
            raise Refused(FORM_CUT_OFF)
        if self._file is None:
            raise Refused(NO_FILE)
        content = _unpack(self._file, b"".join(self._pieces))
        return Upload.hash_now(content, self._file.media_type, self._file.file_name)

    def begin(self) -> None:
        self._part = _Part()

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        self._part.headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def end_headers(self) -> None:
        disposition = self._part.headers.get(b"content-disposition", b"")
        _, parameters = read_parameters(disposition.decode("utf-8", "replace"))
        self._part.name = _read_text(parameters, "name") or ""
        self._part.file_name = _read_text(parameters, "filename")
        # A field for a file that nobody chose has an empty name, and no content that would come.
        if self._part.file_name != "" and self._part.is_file(self._fields):
            self._take_file()

    def _take_file(self) -> None:
        if self._file is not None:
            raise Refused(SECOND_FILE)
        if self._part.name not in self._fields:
            raise Refused(WRONG_FIELD.saying(_name_field(self._fields)))
        self._file = self._part

    def add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name == "" and self._part is not self._file:
            self._take_file()
        if self._part is self._file:
            self._pieces.append(data[start:end])
            return
        self._text_bytes += end - start
        if self._text_bytes > _MAX_TEXT_BYTES:
            # The picture itself, most likely, sent without a file name.
            raise Refused(NO_FILE if self._part.name in self._fields else FORM_TOO_LARGE)

    def end(self) -> None:
        self._is_complete = True
