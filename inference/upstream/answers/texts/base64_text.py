"""Pictures in base64, in either alphabet, as such or as a data URL (RFC 4648, RFC 2397)."""

from binascii import Error, a2b_base64

from inference.upstream.answers.errors import AnswerUnreadable

_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"


def decode_base64(value: object) -> bytes:
    """The bytes of a text.

    Raises:
        AnswerUnreadable: it is no text, or none in base64.
    """
    if not isinstance(value, str):
        raise AnswerUnreadable("The answer has something else where a picture in base64 belongs.")
    head, comma, text = value.partition(",") if value[:5].lower() == "data:" else ("", "", value)
    if comma and not head.lower().endswith(";base64"):
        raise AnswerUnreadable("The answer has a data URL that is not in base64.")
    try:
        packed = text.encode("ascii").translate(_STANDARD, _BLANKS).rstrip(b"=")
        return a2b_base64(packed + b"=" * (-len(packed) % 4), strict_mode=True)
    except (UnicodeEncodeError, Error):
        raise AnswerUnreadable("The answer has a picture that is not in base64.") from None
