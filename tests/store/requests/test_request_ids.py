"""Request ids begin with the time and differ."""

from datetime import datetime, timedelta
from uuid import UUID

from store.requests.request_ids import new_request_id, time_in


def test_ids_are_of_version_seven_and_sort_by_time(now: datetime) -> None:
    ids = [new_request_id(now + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    parsed = [UUID(each) for each in ids]
    assert {(each.version, each.variant) for each in parsed} == {(7, "specified in RFC 4122")}
    assert parsed[0].int >> 80 == int(now.timestamp() * 1000)


def test_ids_of_one_moment_differ(now: datetime) -> None:
    assert len({new_request_id(now) for _ in range(1000)}) == 1000


def test_an_id_says_when_its_request_arrived(now: datetime) -> None:
    assert time_in(UUID(new_request_id(now))) == now.replace(
        microsecond=now.microsecond // 1000 * 1000
    )
    assert time_in(UUID("11111111-1111-4111-8111-111111111111")) is None
    assert time_in(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")) is None
