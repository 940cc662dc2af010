"""Reads pictures in base64 and in data URLs (RFC 4648, RFC 2397)."""

from binascii import Error, a2b_base64

from inference.refusals import ADDRESS_INSTEAD, NO_BASE64, Refused

_BLANKS = b" \t\r\n"
# Both alphabets are read, as one.
_STANDARD = bytes.maketrans(b"-_", b"+/")
# Each with its colon, which base64 does not have.
_ADDRESSES = ("http:", "https:", "file:", "ftp:", "s3:", "gs:")
_MAX_HEAD_CHARACTERS = 200


def split_data_url(text: str) -> tuple[str | None, str]:
    """The media type that a data URL declares, and the base64 behind it.

    Raises:
        Refused: it is an address, or a data URL that is not in base64.
    """
    text = text.strip()
    if text[:10].lower().startswith(_ADDRESSES):
        raise Refused(ADDRESS_INSTEAD)
    if text[:5].lower() != "data:":
        return None, text
    head, _, encoded = text[5:].partition(",")
    media_type, *parameters = head[:_MAX_HEAD_CHARACTERS].lower().split(";")
    if "base64" not in parameters:
        raise Refused(NO_BASE64)
    return media_type or None, encoded


def decode_base64(text: str) -> bytes:
    """Base64 in either alphabet, with or without line breaks and filling.

    Raises:
        Refused: it is none.
    """
    try:
        packed = text.encode("ascii").translate(_STANDARD, _BLANKS).rstrip(b"=")
        return a2b_base64(packed + b"=" * (-len(packed) % 4), strict_mode=True)
    except (UnicodeEncodeError, Error):
        raise Refused(NO_BASE64) from None
