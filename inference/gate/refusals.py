"""Why the gate refuses a file: one table of code, status, sentence and threat ids."""

from http import HTTPStatus

from detectors.findings import Rule
from detectors.rule_book import (
    BLANK_PICTURE,
    CHECKSUM_DIFFERS,
    END_MISSING,
    EXIF_UNUSABLE,
    FLAT_PICTURE,
    MADE_SMALLER,
    NAME_MISMATCH,
    NOISE_PICTURE,
    POLYGLOT,
    PROFILE_UNUSABLE,
    SCRIPT_IN_METADATA,
    SEVERAL_FRAMES,
    TRAILING_DATA,
    TRAILING_NOTE,
    TYPE_MISMATCH,
)
from inference.refusals import Refusal
from store.requests.records import Stage

_DENIAL, _EXPLOIT, _INPUT = "AML.T0029", "AML.T0049", "ML01:2023"
_UNPROCESSABLE, _TOO_LARGE = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _denial(code: str, status: HTTPStatus, sentence: str) -> Refusal:
    """A file that would take more time or memory than a picture may."""
    return Refusal(code, status, sentence, atlas=_DENIAL, owasp=_INPUT)


def _exploit(code: str, sentence: str) -> Refusal:
    """A file that may be made to break a decoder."""
    return Refusal(code, _UNPROCESSABLE, sentence, atlas=_EXPLOIT, owasp=_INPUT)


EMPTY_UPLOAD = Refusal(
    "empty_upload", _UNPROCESSABLE, "The upload is empty: send the bytes of a picture."
)
UNSUPPORTED_TYPE = Refusal(
    "unsupported_type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The file is not a picture of a type that is taken here: convert it to JPEG, PNG or WebP.",
)
TOO_SMALL = Refusal(
    "too_small",
    _UNPROCESSABLE,
    "The picture is too small to show a person: send a larger one.",
)
TOO_MANY_PIXELS = _denial(
    "too_many_pixels",
    _TOO_LARGE,
    "The picture has too many pixels: set the camera to a lower resolution or send a smaller copy.",
)
SIDE_TOO_LONG = _denial(
    "side_too_long", _TOO_LARGE, "The picture is too wide or too high: send a smaller one."
)
EXTREME_RATIO = _denial(
    "extreme_ratio",
    _UNPROCESSABLE,
    "The picture is a strip: send one whose sides are less different.",
)
EXPANDS_TOO_MUCH = _denial(
    "expands_too_much",
    _TOO_LARGE,
    "The picture unpacks to far more than was sent: save it again with a photo's settings.",
)
TOO_MANY_FRAMES = _denial(
    "too_many_frames",
    _UNPROCESSABLE,
    "The file holds too many pictures: send a single one.",
)
TOO_MANY_SCANS = _denial(
    "too_many_scans",
    _UNPROCESSABLE,
    "The picture is stored in too many passes: save it again.",
)
METADATA_TOO_LARGE = _denial(
    "metadata_too_large",
    _TOO_LARGE,
    "The picture carries too much text or camera data: save it again without them.",
)
PROFILE_TOO_LARGE = _denial(
    "profile_too_large",
    _TOO_LARGE,
    "The picture's colour profile is too large: save it again with a common one.",
)
TRUNCATED = _exploit("truncated", "The picture ends too early: send the whole file.")
UNREADABLE = _exploit(
    "unreadable",
    "The picture cannot be decoded: it is damaged or not what its first bytes say.",
)
TAKES_TOO_LONG = _denial(
    "takes_too_long",
    _UNPROCESSABLE,
    "The picture takes too long to decode: save it again or send a smaller one.",
)
TOO_MUCH_MEMORY = _denial(
    "too_much_memory",
    _TOO_LARGE,
    "The picture takes too much memory to decode: save it again or send a smaller one.",
)
DECODER_CRASHED = _exploit(
    "decoder_crashed", "The picture cannot be decoded: save it again and send that."
)
DECODER_BUSY = Refusal(
    "decoder_busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service is busy: try again in a moment.",
    Stage.ADMISSION,
    retry_after_seconds=2,
)
DECODER_UNAVAILABLE = Refusal(
    "decoder_unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Pictures cannot be decoded at the moment: try again later.",
    Stage.FAILED,
    retry_after_seconds=30,
)

_SAVE_AGAIN = "save the picture again and send that"
_ADVICE: tuple[tuple[Rule, str], ...] = (
    (TYPE_MISMATCH, "The file is of another type than was declared: declare its own."),
    (NAME_MISMATCH, "The file's name names another type than its content: rename it."),
    (SEVERAL_FRAMES, "The file holds several pictures: send a single one."),
    (END_MISSING, "The file lacks its end: send the whole file."),
    (PROFILE_UNUSABLE, f"The picture's colour profile is damaged: {_SAVE_AGAIN}."),
    (EXIF_UNUSABLE, f"The picture's Exif data are damaged: {_SAVE_AGAIN}."),
    (MADE_SMALLER, "The picture has too many pixels: set the camera to a lower resolution."),
    (CHECKSUM_DIFFERS, f"The file is damaged: {_SAVE_AGAIN}."),
    (TRAILING_NOTE, f"The file holds more than a picture: {_SAVE_AGAIN}."),
    (TRAILING_DATA, f"The file holds more than a picture: {_SAVE_AGAIN}."),
    (POLYGLOT, f"The file is more than a picture: {_SAVE_AGAIN}."),
    (SCRIPT_IN_METADATA, f"The file holds more than a picture: {_SAVE_AGAIN}."),
    (BLANK_PICTURE, "The picture is blank: send a photo."),
    (FLAT_PICTURE, "The picture is not a photo: send one."),
    (NOISE_PICTURE, "The picture is not a photo: send one."),
)
# What each rule of the gate refuses with where the settings tell it to refuse.
RULE_REFUSALS: dict[str, Refusal] = {
    rule.code: Refusal(rule.code, _UNPROCESSABLE, sentence, atlas=rule.atlas, owasp=rule.owasp)
    for rule, sentence in _ADVICE
}

GATE_REFUSALS: tuple[Refusal, ...] = (
    EMPTY_UPLOAD,
    UNSUPPORTED_TYPE,
    TOO_SMALL,
    TOO_MANY_PIXELS,
    SIDE_TOO_LONG,
    EXTREME_RATIO,
    EXPANDS_TOO_MUCH,
    TOO_MANY_FRAMES,
    TOO_MANY_SCANS,
    METADATA_TOO_LARGE,
    PROFILE_TOO_LARGE,
    TRUNCATED,
    UNREADABLE,
    TAKES_TOO_LONG,
    TOO_MUCH_MEMORY,
    DECODER_CRASHED,
    DECODER_BUSY,
    DECODER_UNAVAILABLE,
)
_BY_CODE = {refusal.code: refusal for refusal in GATE_REFUSALS}


def refusal_named(code: str) -> Refusal:
    """The refusal of a code that a decode worker gave; what it invents is a crash.

    >>> refusal_named("truncated").status.value, refusal_named("nonsense").code
    (422, 'decoder_crashed')
    """
    return _BY_CODE.get(code, DECODER_CRASHED)
