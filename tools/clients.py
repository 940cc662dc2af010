"""What phones, browsers and libraries send, and what becomes of it. The tests send each."""

from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_FORM = "multipart/form-data; boundary=b"
_TAKEN = "taken"


@dataclass(frozen=True)
class Sending:
    """One way in which a client sends a picture.

    Attributes:
        client: who does it so.
        habit: what is particular about it.
        media_type: of the whole body; ``""`` for none.
        wrap: makes the body of a picture.
        outcome: ``taken``, or the code of the refusal.
        headers: further headers.
    """

    client: str
    habit: str
    media_type: str
    wrap: Callable[[bytes], bytes]
    outcome: str = _TAKEN
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_taken(self) -> bool:
        """Whether the picture is parsed."""
        return self.outcome == _TAKEN


def _part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = (f"Content-Disposition: form-data; {disposition}", *headers, "")
    head = "\r\n".join(lines)
    return b"--b\r\n" + head.encode() + b"\r\n" + content + b"\r\n"


def _form(disposition: str, *headers: str) -> Callable[[bytes], bytes]:
    return lambda picture: _part(disposition, picture, *headers) + b"--b--\r\n"


def _form_with_fields(picture: bytes) -> bytes:
    fields = (_part(f'name="field{number}"', b"text") for number in range(20))
    return b"".join(fields) + _form('name="file"; filename="a.jpg"')(picture)


def _json(name: str, prefix: str = "") -> Callable[[bytes], bytes]:
    return lambda picture: f'{{"{name}": "{prefix}{b64encode(picture).decode()}"}}'.encode()


def _as_it_is(picture: bytes) -> bytes:
    return picture


SENDINGS: tuple[Sending, ...] = (
    Sending(
        "curl `-F file=@a.jpg`, browsers' forms, `FormData`",
        "a form with a file name and the type of the picture",
        _FORM,
        _form('name="file"; filename="a.jpg"', "Content-Type: image/jpeg"),
    ),
    Sending(
        "pages written for Flask, jQuery uploaders",
        "other names for the field: `image`, `img`, `upload`, `files[]`",
        _FORM,
        _form('name="files[]"; filename="a.jpg"'),
    ),
    Sending(
        "requests and urllib3 before 2, with names that are not ASCII",
        "`filename*` alone (RFC 2231)",
        _FORM,
        _form("name=\"file\"; filename*=utf-8''f%C3%BCr%20dich.jpg"),
    ),
    Sending(
        "mail libraries, JavaMail",
        "the file's name in numbered pieces, `filename*0*` (RFC 2231)",
        _FORM,
        _form("name=\"file\"; filename*0*=utf-8''f%C3%BCr; filename*1*=%20dich.jpg"),
    ),
    Sending(
        "Alamofire, requests with `(None, data, 'image/jpeg')`",
        "the picture with its type and without a file name, which RFC 7578 leaves open",
        _FORM,
        _form('name="file"', "Content-Type: image/jpeg"),
    ),
    Sending(
        "browsers' forms with a second field for a file",
        "a field for a file that nobody chose: an empty name, and nothing in it",
        _FORM,
        lambda picture: (
            _part('name="mask"; filename=""', b"", "Content-Type: application/octet-stream")
            + _form('name="file"; filename="a.jpg"')(picture)
        ),
    ),
    Sending(
        "`FormData` with a `Blob` of JSON",
        "words of its own as a file named `blob`, beside the picture",
        _FORM,
        lambda picture: (
            _part('name="meta"; filename="blob"', b'{"a": 1}', "Content-Type: application/json")
            + _form('name="file"; filename="a.jpg"')(picture)
        ),
    ),
    Sending(
        ".NET `MultipartFormDataContent`",
        "names without quotes, and both `filename` and `filename*`",
        _FORM,
        _form("name=file; filename=a.jpg; filename*=utf-8''a.jpg"),
    ),
    Sending(
        "clients that write media types in capitals",
        "`Multipart/Form-Data; Boundary=b`",
        "Multipart/Form-Data; Boundary=b",
        _form('name="file"; filename="a.jpg"'),
    ),
    Sending(
        "mail libraries",
        "text before the first boundary",
        _FORM,
        lambda picture: (
            b"This is a message with parts.\r\n" + _form('name="file"; filename="a"')(picture)
        ),
    ),
    Sending(
        "mail libraries",
        "the file in base64, with `Content-Transfer-Encoding: base64`",
        _FORM,
        lambda picture: _form('name="file"; filename="a"', "Content-Transfer-Encoding: base64")(
            encodebytes(picture)
        ),
    ),
    Sending(
        "scripts that leave that header in",
        "`Content-Transfer-Encoding: base64` before bytes as they are",
        _FORM,
        _form('name="file"; filename="a"', "Content-Transfer-Encoding: base64"),
    ),
    Sending(
        "pages with many fields", "twenty text fields beside the file", _FORM, _form_with_fields
    ),
    Sending(
        "Windows, Internet Explorer",
        r"the whole path as the file's name: `C:\fotos\a.jpg`",
        _FORM,
        _form(r'name="file"; filename="C:\fotos\a.jpg"'),
    ),
    Sending(
        "curl `--data-binary @a.jpg -H 'Content-Type: image/jpeg'`, object stores, devices",
        "the picture is the body",
        "image/jpeg",
        _as_it_is,
    ),
    Sending(
        "curl `--data-binary @a.jpg -H 'Content-Type: application/octet-stream'`, devices",
        "the picture is the body, of no type that they know",
        "application/octet-stream",
        _as_it_is,
    ),
    Sending(
        "scripts",
        "an empty `Content-Encoding`",
        "image/jpeg",
        _as_it_is,
        headers={"Content-Encoding": ""},
    ),
    Sending(
        "Gradio and other pages in JavaScript",
        "a data URL in JSON",
        "application/json",
        _json("image", "data:image/jpeg;base64,"),
    ),
    Sending(
        "scripts",
        "base64 in JSON, with the media type's charset",
        "application/json; charset=utf-8",
        _json("file"),
    ),
    Sending(
        ".NET, PowerShell",
        "JSON with a byte order mark, and `null` for what there is not",
        "application/json",
        lambda picture: b'\xef\xbb\xbf{"file": null, "image": "' + b64encode(picture) + b'"}',
    ),
    Sending(
        "clients of APIs with media types of their own",
        "JSON as `application/vnd.api+json`",
        "application/vnd.api+json",
        _json("image"),
    ),
    Sending(
        "clients of ModelScope",
        "the alphabet for addresses (`-_`), without filling",
        "application/json",
        lambda picture: b'{"image": "' + urlsafe_b64encode(picture).rstrip(b"=") + b'"}',
    ),
    Sending(
        "`fetch` with a `Content-Type` set by hand",
        "a form whose media type names no boundary",
        "multipart/form-data",
        _form('name="file"; filename="a.jpg"'),
        "not_multipart",
    ),
    Sending(
        "requests with `data=` in place of `files=`",
        "the picture as text, without a file name",
        _FORM,
        _form('name="file"'),
        "wrong_field",
    ),
    Sending(
        "clients of another service",
        "another name for the field",
        _FORM,
        _form('name="photo"; filename="a.jpg"'),
        "wrong_field",
    ),
    Sending(
        "pages that send several pictures",
        "two files in one form",
        _FORM,
        lambda picture: (
            _part('name="file"; filename="a.jpg"', picture)
            + _form('name="file"; filename="b.jpg"')(picture)
        ),
        "wrong_field",
    ),
    Sending(
        "connections that break",
        "a form without its last boundary",
        _FORM,
        lambda picture: _part('name="file"; filename="a.jpg"', picture),
        "not_multipart",
    ),
    Sending(
        "curl `--data-binary @a.jpg`",
        "curl's own media type, `application/x-www-form-urlencoded`",
        "application/x-www-form-urlencoded",
        _as_it_is,
        "not_multipart",
    ),
    Sending(
        "scripts",
        "the address of a picture in JSON",
        "application/json",
        lambda _: b'{"image": "https://example.org/a.jpg"}',
        "address_instead",
    ),
    Sending(
        "clients that compress what they send",
        "`Content-Encoding: gzip`",
        "image/jpeg",
        _as_it_is,
        "packed_body",
        {"Content-Encoding": "gzip"},
    ),
    Sending(
        "pages of other sites",
        "`Sec-Fetch-Site: cross-site`",
        _FORM,
        _form('name="file"; filename="a.jpg"'),
        "cross_site",
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"},
    ),
)
