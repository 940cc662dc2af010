"""Parameters of headers (RFC 9110, section 5.6.6), read in time that grows with their length."""

import re
from collections.abc import Mapping

# A quote that is not closed ends with the header, or each semicolon in it would be tried anew.
_PARAMETER = re.compile(
    r';[ \t]*+([^=;"\s]++)[ \t]*+=[ \t]*+("(?:[^"\\]|\\.)*+"?+|[^;]*+)', re.DOTALL
)
_ESCAPE = re.compile(r'\\(["\\])')


def read_parameters(header: str) -> tuple[str, Mapping[str, str]]:
    """The value of a header in small letters, and its parameters by name; the first of a name wins.

    >>> read_parameters('Multipart/Form-Data; boundary="a b"; charset=punycode')
    ('multipart/form-data', {'boundary': 'a b', 'charset': 'punycode'})
    """
    value, _, _ = header.partition(";")
    parameters: dict[str, str] = {}
    for name, text in _PARAMETER.findall(header):
        parameters.setdefault(name.lower(), _unquote(text.strip()))
    return value.strip().lower(), parameters


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    # Other backslashes stay: some clients send whole paths of Windows.
    return _ESCAPE.sub(r"\1", text[1:].removesuffix('"'))
