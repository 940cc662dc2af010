"""Why there is no record of a request that somebody asks for."""

from datetime import datetime
from uuid import UUID

from markupsafe import Markup

from dashboard.show import markup, words
from store.requests.request_ids import time_in


def say_no_id() -> None:
    """What was entered cannot be an id of a request."""
    markup.empty(
        "This is no request id",
        "An id has 32 hexadecimal digits, as the answer gave it in request_id and X-Request-Id.",
    )


def say_no_record(request_id: UUID, oldest: datetime | None, now: datetime) -> None:
    """The reasons why an id may have no record, by the time that it begins with.

    Args:
        oldest: when the oldest request that has a record arrived.
    """
    sentence = _why(time_in(request_id), oldest, now)
    markup.empty("There is no record of this request", Markup("{} {}").format(request_id, sentence))


def _why(arrival: datetime | None, oldest: datetime | None, now: datetime) -> Markup:
    if arrival is None:
        return Markup(
            "does not begin with a time, as ids of requests do. An answer 500 may have such an id: "
            "the log of the service says what happened."
        )
    began = Markup("is of a request that would have to arrive on {}, which has not come yet.")
    if arrival > now:
        return began.format(words.utc(arrival))
    if oldest is not None and arrival < oldest:
        return _too_old(arrival, oldest)
    return _not_recorded(arrival)


def _too_old(arrival: datetime, oldest: datetime) -> Markup:
    return Markup(
        "has no record any more. It arrived on {}, and the oldest record is of {}: records go "
        "after MASKWATCH_RETENTION_DAYS days."
    ).format(words.utc(arrival), words.utc(oldest))


def _not_recorded(arrival: datetime) -> Markup:
    return Markup(
        "has none. It arrived on {}, and records of that time are kept. Refusals at admission that "
        "repeat another within seconds are counted and not recorded one by one: {} has their "
        "numbers. Otherwise its record waits in the spool, was erased on request, or is in the "
        "database of another installation."
    ).format(words.utc(arrival), markup.link("overview", "Turned away"))
