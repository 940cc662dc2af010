"""Reads a report: what a client of ours tells of a picture and the answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from inference.admission.forwarded import read_hop
from inference.bodies.base64_text import decode_base64, split_data_url
from inference.bodies.json_document import read_small_document
from inference.refusals import BAD_OBSERVATION, Refused
from inference.upload import Upload
from inference.upstream.observe.origin import Origin
from inference.upstream.observe.report_fields import MaskFields, ReportFields
from inference.upstream.observe.sent_masks import SentMasks
from inference.upstream.requests.form_parts import FormPart, read_parts

UNKNOWN_STATUS = 0
"""The status of an answer that nobody saw."""

_FIELDS, _PICTURE, _ANSWER = "report", "picture", "answer"
_MAX_AGE, _MAX_SKEW = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Report:
    """What is told of a picture.

    Attributes:
        origin: who reports.
        client: ``ip:ADDRESS``, or ``None`` if it is not known.
        time: when the picture came in, never after the report.
        upload: the picture; ``None`` where its features are told instead.
        status: of the answer; 0 if it is not known.
    """

    origin: str
    client: str | None
    time: datetime
    upload: Upload | None
    features: Mapping[str, float]
    masks: SentMasks | None
    latency_ms: float | None
    status: int


def read_json_report(body: bytes, origin: str, now: datetime) -> Report:
    """A report in one JSON object, picture and answer in base64.

    Args:
        origin: who reports.

    Raises:
        Refused: it is no such object, or one that contradicts itself.
    """
    fields = _read_fields(body)
    masks = _decode_masks(fields.masks, origin)
    return _build_report(fields, _decode_picture(fields.picture), masks, origin, now)


def read_form_report(boundary: str, body: bytes, origin: str, now: datetime) -> Report:
    """A report in a form: JSON in the field ``report``, files ``picture`` and ``answer``.

    Args:
        origin: who reports.

    Raises:
        Refused: it is no such form, or one that contradicts itself.
    """
    sent = read_parts(boundary, body, max_parts=3)
    parts = {part.name: part for part in sent}
    if len(parts) < len(sent) or not {_FIELDS} <= set(parts) <= {_FIELDS, _PICTURE, _ANSWER}:
        raise _refuse("a form has the fields report, picture and answer, each once at most")
    fields = _read_fields(parts[_FIELDS].data)
    if fields.picture is not None or (fields.masks and fields.masks.answer is not None):
        raise _refuse("picture and answer are files of the form, not in its JSON")
    masks = _take_masks(fields.masks, parts.get(_ANSWER), origin)
    return _build_report(fields, _take_picture(parts.get(_PICTURE)), masks, origin, now)


def _build_report(
    fields: ReportFields,
    upload: Upload | None,
    masks: SentMasks | None,
    origin: str,
    now: datetime,
) -> Report:
    if (upload is None) is (fields.features is None):
        raise _refuse("give the picture or its features, one of the two")
    if masks is not None and upload is None:
        raise _refuse("masks can only be measured with their picture")
    address = None if fields.client is None else read_hop(fields.client)
    return Report(
        origin=origin,
        client=None if address is None else f"ip:{address}",
        time=_check_time(fields.time, now),
        upload=upload,
        features=fields.features or {},
        masks=masks,
        latency_ms=fields.latency_ms,
        status=fields.status or UNKNOWN_STATUS,
    )


def _decode_masks(fields: MaskFields | None, origin: str) -> SentMasks | None:
    if fields is None:
        return None
    if fields.answer is None:
        raise _refuse("masks need the answer that they are in")
    body = _decode(fields.answer)[1]
    return SentMasks(fields.format, fields.labels, fields.media_type, body, Origin(origin, origin))


def _take_masks(fields: MaskFields | None, part: FormPart | None, origin: str) -> SentMasks | None:
    if fields is None and part is None:
        return None
    if fields is None or part is None:
        raise _refuse("masks and the file with the answer belong together")
    media_type = part.media_type or fields.media_type
    return SentMasks(fields.format, fields.labels, media_type, part.data, Origin(origin, origin))


def _check_time(time: datetime | None, now: datetime) -> datetime:
    """Records are kept in the order of their times: none may come from the future."""
    if time is None:
        return now
    if not now - _MAX_AGE <= time <= now + _MAX_SKEW:
        raise _refuse("its time is more than an hour ago, or still to come")
    return min(time, now)


def _read_fields(body: bytes) -> ReportFields:
    try:
        return ReportFields.model_validate(read_small_document(body))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the object"
        raise _refuse(f"{place}: {fault['msg']}") from None


def _decode_picture(text: str | None) -> Upload | None:
    if text is None:
        return None
    declared_type, data = _decode(text)
    return Upload.hash_now(data, declared_type)


def _take_picture(part: FormPart | None) -> Upload | None:
    return None if part is None else Upload.hash_now(part.data, part.media_type, part.file_name)


def _decode(text: str) -> tuple[str | None, bytes]:
    declared_type, packed = split_data_url(text)
    return declared_type, decode_base64(packed)


def _refuse(why: str) -> Refused:
    return Refused(BAD_OBSERVATION.saying(f"The observation cannot be used: {why}."))
