"""What ``maskwatch feedback`` changes."""

from datetime import datetime

from store.audit.actors import command_line, operator
from store.engine.existing import existing_database
from store.families.feedback import Feedback, FeedbackError, Said, judge_family, judge_request
from store.phrases import phrase_count
from store.requests.request_ids import read_request_id
from store.settings import StoreSettings

# A number of a database column.
_MAX_DIGITS = 18


def confirm(settings: StoreSettings, subject: str, reason: str, now: datetime) -> str:
    """Say that a request or a family is an attack; says what was kept.

    Raises:
        MaskwatchError: there is none, no reason was given, or the database cannot be used.
    """
    return _judge(settings, subject, _speak_as_operator(Feedback.CONFIRMED, reason), now)


def dismiss(settings: StoreSettings, subject: str, reason: str, now: datetime) -> str:
    """Say that a request or a family is no attack; says what was kept.

    Raises:
        MaskwatchError: there is none, no reason was given, or the database cannot be used.
    """
    return _judge(settings, subject, _speak_as_operator(Feedback.DISMISSED, reason), now)


def withdraw(settings: StoreSettings, subject: str, reason: str, now: datetime) -> str:
    """Take back what was said last of a request or a family; says what holds now.

    Raises:
        MaskwatchError: there is none, no reason was given, or the database cannot be used.
    """
    return _judge(settings, subject, _speak_as_operator(Feedback.WITHDRAWN, reason), now)


def _speak_as_operator(feedback: Feedback, reason: str) -> Said:
    who = operator()
    return Said(feedback, who, reason, command_line(who))


def _judge(settings: StoreSettings, subject: str, said: Said, now: datetime) -> str:
    family, request_id = _read_family(subject), read_request_id(subject)
    if family is None and request_id is None:
        raise FeedbackError(f"{subject} is neither the id of a request nor a family's number.")
    with existing_database(settings) as database, database.write() as session:
        if family is None:
            judge_request(session, str(request_id), said, now)
            return _say(f"Request {request_id}", said, "")
        requests = judge_family(session, family, said, now)
    return _say(f"Family {family}", said, f", {phrase_count(requests, 'request')}")


def _say(subject: str, said: Said, extent: str) -> str:
    if said.feedback is Feedback.WITHDRAWN:
        return f"{subject}{extent}: what was said is taken back."
    return f"{subject} is {said.feedback}{extent}."


def _read_family(subject: str) -> int | None:
    is_number = subject.isascii() and subject.isdigit() and len(subject) <= _MAX_DIGITS
    return int(subject) if is_number else None
