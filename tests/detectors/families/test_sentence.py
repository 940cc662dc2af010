"""A family is told in one line."""

from datetime import UTC, datetime, timedelta

from detectors.evidence.kinds import EvidenceKind
from detectors.families.members import Tie
from detectors.families.sentence import Life, SharedThing, describe_family, life_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_the_line_names_what_is_shared_the_most_telling_first() -> None:
    shared = [
        SharedThing(Tie.DIRECTION, "-entropy_mean +skin_share", 3),
        SharedThing(Tie.CLIENT, "ip:203.0.113.7", 3),
        SharedThing(Tie.CLIENT, "ip:203.0.113.8", 3),
        SharedThing(Tie.PATCH, "12", 9),
        SharedThing(Tie.BURST, str(int(NOON.timestamp() // 60)), 1),
    ]
    kinds = {EvidenceKind.OUTLIER: 2, EvidenceKind.PATCH: 9}
    assert describe_family(kinds, 2, shared) == (
        "9 pictures of listed patches and 2 outliers of 2 clients share a listed patch (decision "
        "12), what is unusual: less entropy mean and more skin share and a burst at 2026-03-02 "
        "12:00 UTC."
    )


def test_one_client_is_named() -> None:
    client = SharedThing(Tie.CLIENT, "ip:203.0.113.7", 3)
    line = describe_family({EvidenceKind.OUTLIER: 3}, 1, [client])
    assert line == "3 outliers of the client ip:203.0.113.7."


def test_several_clients_are_named_where_nothing_else_ties_them() -> None:
    clients = [SharedThing(Tie.CLIENT, f"ip:203.0.113.{n}", 3) for n in (7, 8)]
    line = describe_family({EvidenceKind.OUTLIER: 6}, 2, clients)
    assert line == "6 outliers of 2 clients share the client ip:203.0.113.7 and 1 more."


def test_a_family_whose_names_were_erased_still_has_a_line() -> None:
    assert describe_family({EvidenceKind.OUTLIER: 6}, 0, []) == "6 outliers of 0 clients."


def test_a_burst_is_named_by_its_first_minute() -> None:
    minute = str(int(NOON.timestamp() // 60))
    line = describe_family({EvidenceKind.CRAFTED: 3}, 3, [SharedThing(Tie.BURST, minute, 3)])
    assert line == "3 crafted pictures of 3 clients share a burst at 2026-03-02 12:00 UTC."


def test_a_family_is_quiet_after_a_day() -> None:
    assert life_of(NOON, NOON + timedelta(hours=23)) is Life.GROWING
    assert life_of(NOON, NOON + timedelta(days=1)) is Life.QUIET
