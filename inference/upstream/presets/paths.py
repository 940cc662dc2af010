"""Patterns of paths, compared with what stands on the wire: nothing is decoded or put straight.

A wildcard fits only what every server reads in one way. Dots, empty segments, backslashes and
characters that are encoded without need may lead to another route than the one they seem to.
"""

import re
from functools import lru_cache

_STEPS = re.compile(r"(?:/(?:[A-Za-z0-9_.~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)+")
# What needs no encoding (RFC 3986, section 2.3), both slashes, semicolons, percent signs, controls.
_DOUBTFUL = r"%(?:[01]|2[5DEF]|3[0-9B]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])"
_CHARACTER = rf"(?:[A-Za-z0-9_~!$&'()*+,=:@.-]|(?!(?i:{_DOUBTFUL}))%[0-9A-Fa-f]{{2}})"
_SEGMENT = rf"(?!\.+(?:/|\Z)){_CHARACTER}+"


def check_path(pattern: str) -> None:
    """Refuse what is no pattern of a path.

    Raises:
        ValueError: it is none.
    """
    if not _STEPS.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is no path: it begins with / and has no query")
    if "**" in pattern.removesuffix("/**"):
        raise ValueError(f"{pattern!r} has a ** that is not its last segment")


def fits_path(pattern: str, path: bytes) -> bool:
    """Whether a path, as it was sent and without its query, fits a pattern.

    >>> [fits_path("/v1/models/*:predict", p) for p in (b"/v1/models/m:predict", b"/v1/models/m")]
    [True, False]
    >>> [fits_path("/files/**", p) for p in (b"/files/a/b", b"/files/a%2Fb", b"/files//a")]
    [True, False, False]
    """
    return _compile(pattern).fullmatch(path.decode("latin-1")) is not None


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> re.Pattern[str]:
    stem, is_open = pattern.removesuffix("/**"), pattern.endswith("/**")
    steps = [_compile_segment(segment) for segment in stem.split("/")]
    return re.compile("/".join(steps) + (rf"(?:/{_SEGMENT})+/?" if is_open else ""))


def _compile_segment(segment: str) -> str:
    if segment == "*":
        return _SEGMENT
    return f"{_CHARACTER}+".join(map(re.escape, segment.split("*")))
