"""Request ids begin with the time and differ."""

from datetime import datetime, timedelta
from uuid import UUID

from store.requests.request_ids import new_request_id


def test_ids_are_of_version_seven_and_sort_by_time(now: datetime) -> None:
    ids = [new_request_id(now + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    parsed = [UUID(each) for each in ids]
    assert {(each.version, each.variant) for each in parsed} == {(7, "specified in RFC 4122")}
    assert parsed[0].int >> 80 == int(now.timestamp() * 1000)


def test_ids_of_one_moment_differ(now: datetime) -> None:
    assert len({new_request_id(now) for _ in range(1000)}) == 1000
