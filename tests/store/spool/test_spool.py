"""The spool: records wait in order, come back once, and a torn line costs only itself."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path
from zlib import crc32

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.findings import Finding, Place
from detectors.registry import FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from store.engine.database import StoreUnavailable
from store.requests.records import RequestRecord, Stage
from store.spool.spool import Backlog, Replay, Spool, SpoolFailed

START = datetime(2026, 3, 1, tzinfo=UTC)


def _record(number: int) -> RequestRecord:
    return RequestRecord(
        request_id=f"{number:036}",
        received_at=START + timedelta(seconds=number),
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=422,
        reasons=("truncated",),
    )


def _replayed(spool: Spool) -> list[int]:
    taken: list[RequestRecord] = []
    replayed = spool.replay(taken.extend)
    assert replayed.records == len(taken)
    return [int(record.request_id) for record in taken]


def _file(var_dir: Path) -> Path:
    return var_dir / "spool" / "requests.jsonl"


def _foreign(var_dir: Path) -> Path:
    return var_dir / "spool" / "foreign.jsonl"


def test_records_come_back_once_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        spool.append([_record(number)])
    assert not spool.is_empty()
    assert _replayed(spool) == [0, 1, 2, 3, 4]
    assert spool.is_empty()
    assert _replayed(spool) == []


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    spool, taken = Spool(tmp_path), list[RequestRecord]()
    spool.append([_record(7)])
    spool.replay(taken.extend)
    assert taken == [_record(7)]


def test_findings_keep_their_places_in_the_spool(tmp_path: Path) -> None:
    spool, taken = Spool(tmp_path), list[RequestRecord]()
    places = (Place(3, 4, 30, 40, "face"), Place(0, 0, 9, 9))
    finding = Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, places)
    spool.append([replace(_record(7), findings=(finding,))])
    spool.replay(taken.extend)
    assert taken[0].findings == (finding,)


def test_waiting_records_survive_a_restart(tmp_path: Path) -> None:
    Spool(tmp_path).append([_record(1)])
    restarted = Spool(tmp_path)
    restarted.append([_record(2)])
    assert _replayed(restarted) == [1, 2]


def test_a_new_folder_has_an_empty_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    assert spool.is_empty()
    assert _replayed(spool) == []


def test_while_the_database_is_away_nothing_is_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])

    def away(_records: Sequence[RequestRecord]) -> None:
        raise StoreUnavailable("The database is away.")

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            spool.replay(away)
    spool.append([_record(2)])
    assert _replayed(spool) == [1, 2]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_damaged_line_costs_only_itself(tmp_path: Path, broken: int) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.append([_record(number)])
    lines = _file(tmp_path).read_bytes().splitlines(keepends=True)
    lines[broken] = lines[broken].replace(b"truncated", b"truncatee")
    _file(tmp_path).write_bytes(b"".join(lines))
    assert _replayed(spool) == [number for number in range(3) if number != broken]
    assert spool.is_empty()
    assert _foreign(tmp_path).read_bytes() == lines[broken]


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 400), more=st.binary(max_size=60))
def test_wherever_a_power_loss_tears_the_file_whole_records_survive(
    cut: int, more: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    spool = Spool(folder)
    spool.append([_record(1)])
    whole = _file(folder).stat().st_size
    spool.append([_record(2)])
    kept = _file(folder).read_bytes()[: whole + min(cut, whole - 12)]
    _file(folder).write_bytes(kept + more)
    spool.append([_record(3)])
    assert _replayed(spool) == [1, 3]


def test_writers_that_share_the_file_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: Spool(tmp_path).append([_record(number)]), range(40)))
    assert sorted(_replayed(Spool(tmp_path))) == list(range(40))


def test_while_another_process_replays_its_records_are_left_to_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    with FileLock(tmp_path / "spool" / "replay.lock"):
        assert _replayed(spool) == []
        assert not spool.is_empty()
    assert _replayed(spool) == [1]


def test_other_users_cannot_look_into_the_spool(tmp_path: Path) -> None:
    Spool(tmp_path).append([_record(1)])
    assert _file(tmp_path).parent.stat().st_mode & 0o077 == 0


def test_a_line_of_another_version_is_set_aside_and_holds_nothing_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    body = _record(2).to_json().replace('"findings": []', '"findings": [["of_tomorrow", {}]]')
    foreign = b"%08x %s" % (crc32(body.encode()), body.encode())
    with _file(tmp_path).open("ab") as file:
        file.write(foreign + b"\n")
    spool.append([_record(3)])
    assert _replayed(spool) == [1, 3]
    assert spool.is_empty()
    assert _foreign(tmp_path).read_bytes() == foreign + b"\n"


class Killed(Exception):
    """The process ends here."""


def _taking(taken: list[int]) -> Callable[[Sequence[RequestRecord]], None]:
    return lambda records: taken.extend(int(record.request_id) for record in records)


def test_a_group_comes_back_in_bounded_chunks(tmp_path: Path) -> None:
    spool, chunks = Spool(tmp_path), list[int]()
    spool.append([_record(number) for number in range(10)])
    while spool.replay(lambda records: chunks.append(len(records)), most=4):
        pass
    assert chunks == [4, 4, 2]
    assert spool.is_empty()


def test_a_crash_in_the_middle_repeats_at_most_a_chunk(tmp_path: Path) -> None:
    Spool(tmp_path).append([_record(number) for number in range(10)])
    taken: list[int] = []
    Spool(tmp_path).replay(_taking(taken), most=4)

    def killed_after_the_commit(records: Sequence[RequestRecord]) -> None:
        _taking(taken)(records)
        raise Killed

    with pytest.raises(Killed):
        Spool(tmp_path).replay(killed_after_the_commit, most=4)
    restarted = Spool(tmp_path)
    while restarted.replay(_taking(taken), most=4):
        pass
    assert taken == [0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9]


def test_a_position_in_an_earlier_content_hides_nothing(tmp_path: Path) -> None:
    """A crash between emptying the file and forgetting the position."""
    spool = Spool(tmp_path)
    spool.append([_record(number) for number in range(4)])
    spool.replay(_taking([]), most=2)
    position = tmp_path / "spool" / "requests.position"
    old = position.read_bytes()
    spool.replay(_taking([]))
    position.write_bytes(old)
    restarted = Spool(tmp_path)
    restarted.append([_record(number) for number in range(10, 16)])
    assert _replayed(restarted) == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"offset": "x", "head": ""}', b"\xff"])
def test_a_damaged_position_only_repeats(tmp_path: Path, content: bytes) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(number) for number in range(3)])
    spool.replay(_taking([]), most=1)
    (tmp_path / "spool" / "requests.position").write_bytes(content)
    assert _replayed(Spool(tmp_path)) == [0, 1, 2]


def test_a_crash_before_the_file_is_emptied_leaves_nothing_to_do(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    content = _file(tmp_path).read_bytes()
    spool.append([_record(2)])
    spool.replay(_taking([]), most=1)
    _file(tmp_path).write_bytes(content)
    assert spool.replay(_taking([])) == Replay()
    assert spool.is_empty()


def test_a_record_that_lacks_only_its_newline_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    _file(tmp_path).write_bytes(_file(tmp_path).read_bytes()[:-1])
    spool.append([_record(2)])
    assert _replayed(spool) == [1, 2]


@pytest.mark.parametrize("length", [1, 70_000, 200_000])
def test_a_torn_end_is_cut_and_not_set_aside(tmp_path: Path, length: int) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    with _file(tmp_path).open("ab") as file:
        file.write(b"x" * length)
    assert _replayed(spool) == [1]
    assert spool.is_empty()
    assert not _foreign(tmp_path).exists()


def test_records_are_appended_while_a_slow_database_takes_earlier_ones(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(1)])
    with ThreadPoolExecutor(1) as thread:
        spool.replay(lambda _: thread.submit(spool.append, [_record(2)]).result(timeout=60))
    assert _replayed(spool) == [2]


@pytest.mark.parametrize(
    ("before", "after"),
    [('"width": 5.0', '"width": Infinity'), ('"width": 5.0', '"of_tomorrow": 5.0')],
)
def test_a_feature_that_cannot_be_stored_sets_its_record_aside(
    tmp_path: Path, before: str, after: str
) -> None:
    spool, record = Spool(tmp_path), replace(_record(1), features=FeatureVector.of({"width": 5.0}))
    body = record.to_json().replace(before, after).encode()
    spool.append([])
    _file(tmp_path).write_bytes(b"%08x %s\n" % (crc32(body), body))
    spool.append([_record(2)])
    assert _replayed(spool) == [2]
    assert after.encode() in _foreign(tmp_path).read_bytes()


def test_features_that_were_not_measured_come_back_as_such(tmp_path: Path) -> None:
    spool, taken = Spool(tmp_path), list[RequestRecord]()
    features = FeatureVector.of({"width": 5.0, "height": nan})
    spool.append([replace(_record(1), features=features)])
    spool.replay(taken.extend)
    assert taken[0].features is not None
    assert taken[0].features.collect_values() == {"width": 5.0}


def test_the_order_is_that_of_arrival_whatever_the_clock_says(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([_record(9), _record(3), _record(5)])
    spool.append([_record(1)])
    assert _replayed(spool) == [9, 3, 5, 1]


def test_the_backlog_is_what_is_not_replayed_yet(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.backlog() == Backlog()
    spool.append([_record(number) for number in range(5)])
    assert spool.backlog() == Backlog(5, START)
    spool.replay(_taking([]), most=2)
    assert Spool(tmp_path).backlog() == Backlog(3, START + timedelta(seconds=2))
    spool.replay(_taking([]))
    assert spool.backlog() == Backlog()


def test_a_record_that_is_set_aside_can_be_read_by_a_person(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.set_aside(_record(4))
    spool.set_aside(_record(5))
    lines = _foreign(tmp_path).read_text().splitlines()
    assert [RequestRecord.from_json(line[9:]) for line in lines] == [_record(4), _record(5)]
    assert spool.is_empty()


def test_a_spool_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(SpoolFailed, match="MASKWATCH_VAR_DIR"):
        Spool(tmp_path).append([_record(1)])
    assert Spool(tmp_path).is_empty()
