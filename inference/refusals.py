"""Every way in which a request is refused: one table of code, status, sentence and threat ids."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from math import ceil

from detectors.errors import MaskwatchError
from store.requests.records import Stage


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused, in words that are safe to show outside.

    Attributes:
        code: stable name, used in records, metrics and problem documents.
        status: HTTP status of the answer.
        sentence: what is wrong and what to do, without limits or internals.
        stage: where the request ended.
        atlas: MITRE ATLAS technique id, empty where nothing hostile is implied.
        owasp: OWASP Machine Learning Security Top 10 id, likewise.
        retry_after_seconds: value of ``Retry-After``, where trying again makes sense.
    """

    code: str
    status: HTTPStatus
    sentence: str
    stage: Stage = Stage.GATE
    atlas: str = ""
    owasp: str = ""
    retry_after_seconds: int | None = None

    def saying(self, sentence: str) -> "Refusal":
        """The same refusal, put more precisely."""
        return replace(self, sentence=sentence)

    def retry_after(self, seconds: float) -> "Refusal":
        """The same refusal with another ``Retry-After``, in whole seconds rounded up."""
        return replace(self, retry_after_seconds=max(1, ceil(seconds)))


class Refused(MaskwatchError):
    """Carries a refusal out of code that cannot return one, such as a body stream.

    Attributes:
        content_sha256: of the file that is refused, if it was read.
    """

    def __init__(self, refusal: Refusal, content_sha256: str | None = None) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal
        self.content_sha256 = content_sha256


_DENIAL, _INPUT = "AML.T0029", "ML01:2023"

WRONG_FIELD = Refusal(
    "wrong_field",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The form has no file in a field for pictures: send the picture there, and only there.",
)
NO_FILE = WRONG_FIELD.saying("The form holds no file: send the picture as a file, not as text.")
SECOND_FILE = WRONG_FIELD.saying("The form holds more than one file: send one picture.")
NO_PICTURE = WRONG_FIELD.saying("The body holds no picture where one is expected.")
TOO_MANY_PICTURES = WRONG_FIELD.saying("The body holds more pictures than are taken in one go.")
PICTURE_ELSEWHERE = WRONG_FIELD.saying(
    "The body holds a picture in a place that is not for pictures: send it where it belongs."
)
NOT_MULTIPART = Refusal(
    "not_multipart",
    HTTPStatus.BAD_REQUEST,
    "The body is not a multipart form that can be read: let a library build it.",
)
NO_BOUNDARY = NOT_MULTIPART.saying(
    "The media type of the form names no boundary: let the library that builds the form set the "
    "header Content-Type."
)
FORM_CUT_OFF = NOT_MULTIPART.saying("The form ends before its last boundary: send it whole.")
UNKNOWN_BODY = NOT_MULTIPART.saying(
    "The body is neither a form, nor a picture, nor JSON: set the header Content-Type to "
    "multipart/form-data, to the type of the picture, or to application/json."
)
PACKED_BODY = Refusal(
    "packed_body",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is compressed: send it without Content-Encoding.",
)
NOT_JSON = Refusal(
    "not_json",
    HTTPStatus.BAD_REQUEST,
    "The body is not a JSON object that can be read, with each of its names once.",
)
NO_JSON_FIELD = NOT_JSON.saying(
    "The JSON object has no field, or several, for the picture in base64: send it in one."
)
MUCH_JSON = NOT_JSON.saying(
    "The JSON object holds too many names and values: send the picture and little besides it."
)
NO_BASE64 = NOT_JSON.saying("The picture in the JSON object is not in base64.")
ADDRESS_INSTEAD = Refusal(
    "address_instead",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The body names an address or a file instead of a picture: send the picture itself.",
)
UNGATED_ROUTE = Refusal(
    "ungated_route",
    HTTPStatus.NOT_FOUND,
    "Nothing takes bodies at this address: send pictures where they belong.",
    Stage.ADMISSION,
)
ODD_TARGET = Refusal(
    "odd_target",
    HTTPStatus.BAD_REQUEST,
    "Ask for a path: a target that begins with / and names no host.",
    Stage.ADMISSION,
)
UNREADABLE_TENSOR = Refusal(
    "unreadable_tensor",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The tensor is not one that a picture is read from: send the picture's file as BYTES, or its "
    "pixels as UINT8 with the shape [height, width, 3], and let sizes and shapes fit the data.",
)
FORM_TOO_LARGE = Refusal(
    "form_too_large",
    HTTPStatus.BAD_REQUEST,
    "The form holds too many parts or too much text: send the picture and little besides it.",
    atlas=_DENIAL,
    owasp=_INPUT,
)
TOO_MANY_BYTES = Refusal(
    "too_many_bytes",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The upload is too large: send a smaller file.",
    atlas=_DENIAL,
    owasp=_INPUT,
)
BLOCKED = Refusal(
    "blocked",
    HTTPStatus.FORBIDDEN,
    "Requests from here are not accepted at the moment.",
    Stage.ADMISSION,
)
UNKNOWN_KEY = Refusal(
    "unknown_key",
    HTTPStatus.UNAUTHORIZED,
    "The API key is not valid here: check it, or ask the people who run the service for a new one.",
    Stage.ADMISSION,
)
KEY_REQUIRED = Refusal(
    "key_required",
    HTTPStatus.UNAUTHORIZED,
    "An API key is needed: send it in the header X-API-Key, or as a bearer token.",
    Stage.ADMISSION,
)
WRONG_SCOPE = Refusal(
    "wrong_scope",
    HTTPStatus.FORBIDDEN,
    "The API key is not for this: ask the people who run the service for another one.",
    Stage.ADMISSION,
)
CROSS_SITE = Refusal(
    "cross_site",
    HTTPStatus.FORBIDDEN,
    "A page of another site asked for this: send the picture from the service's own page.",
    Stage.ADMISSION,
)
OVERLOADED = Refusal(
    "overloaded",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service is busy: try again in a moment.",
    Stage.ADMISSION,
    retry_after_seconds=2,
)
RATE_LIMITED = Refusal(
    "rate_limited",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests come from here: send them more slowly.",
    Stage.ADMISSION,
    retry_after_seconds=1,
)
TOO_MANY_UPLOADS = Refusal(
    "too_many_uploads",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many uploads from here are under way: wait until some of them are answered.",
    Stage.ADMISSION,
    retry_after_seconds=1,
)
TOO_SLOW = Refusal(
    "too_slow",
    HTTPStatus.REQUEST_TIMEOUT,
    "The upload took too long: send it faster, or send a smaller file.",
    Stage.ADMISSION,
)
FINDING_ENFORCED = Refusal(
    "not_accepted",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The picture was not accepted.",
    Stage.PARSED,
    "AML.T0015",
    "ML01:2023",
)
FAULT = Refusal(
    "fault",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong here; the people who run the service can find it by the request id.",
    Stage.FAILED,
)
NOT_RECORDED = Refusal(
    "not_recorded",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service cannot keep its records at the moment: try again later.",
    Stage.FAILED,
    retry_after_seconds=30,
)

BAD_OBSERVATION = Refusal(
    "bad_observation",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The observation cannot be used.",
    Stage.ADMISSION,
)
BAD_EVENT = Refusal(
    "bad_event",
    HTTPStatus.BAD_REQUEST,
    "The event is not one of KServe's payload logger, in binary mode of CloudEvents 1.0.",
    Stage.ADMISSION,
)
OBSERVATIONS_FULL = Refusal(
    "observations_full",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "No more observations can be taken in at the moment: try again later.",
    Stage.ADMISSION,
    retry_after_seconds=2,
)

OBSERVE_REFUSALS: tuple[Refusal, ...] = (BAD_OBSERVATION, BAD_EVENT, OBSERVATIONS_FULL)
REFUSALS: tuple[Refusal, ...] = (
    WRONG_FIELD,
    NOT_MULTIPART,
    PACKED_BODY,
    NOT_JSON,
    ADDRESS_INSTEAD,
    FORM_TOO_LARGE,
    TOO_MANY_BYTES,
    BLOCKED,
    UNKNOWN_KEY,
    KEY_REQUIRED,
    WRONG_SCOPE,
    CROSS_SITE,
    OVERLOADED,
    RATE_LIMITED,
    TOO_MANY_UPLOADS,
    TOO_SLOW,
    FINDING_ENFORCED,
    FAULT,
    NOT_RECORDED,
)
SEVERAL_PICTURES = Refusal(
    "several_pictures",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Send one picture with each request: answers to several cannot be checked here.",
    Stage.ADMISSION,
)
ANSWER_UNREAD = Refusal(
    "answer_not_read",
    HTTPStatus.BAD_GATEWAY,
    "The answer could not be checked, so it is not passed on.",
    Stage.GATE,
)
# Bodies of requests to a service behind the proxy, and answers to them, only.
PROXY_REFUSALS: tuple[Refusal, ...] = (
    UNREADABLE_TENSOR,
    UNGATED_ROUTE,
    ODD_TARGET,
    SEVERAL_PICTURES,
    ANSWER_UNREAD,
)
