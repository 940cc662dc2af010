from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from detectors.findings import Finding, Place
from detectors.registry import FEATURES, FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE, RULES
from detectors.verdict import Verdict
from store.requests.records import PictureFile, RequestRecord, Stage, Trace

names = st.text(max_size=20)
keys = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
vectors = st.fixed_dictionaries(
    {}, optional={f.name: st.floats(max(f.low, -1e9), min(f.high, 1e9)) for f in FEATURES}
).map(FeatureVector.of)
sides = st.integers(0, 100_000)
places = st.builds(Place, sides, sides, sides, sides, st.none() | names)
findings = st.builds(
    Finding,
    st.sampled_from(RULES),
    st.dictionaries(names, numbers, max_size=3),
    st.lists(places, max_size=2).map(tuple),
)
records = st.builds(
    RequestRecord,
    request_id=st.uuids().map(str),
    received_at=st.datetimes(timezones=st.just(UTC)),
    client=names,
    route=names,
    stage=st.sampled_from(Stage),
    verdict=st.sampled_from(Verdict),
    status=st.integers(100, 599),
    reasons=st.lists(names, max_size=3).map(tuple),
    content_sha256=st.none() | names,
    media_type=st.none() | names,
    segmenter=st.none() | names,
    labels=st.lists(names, max_size=3).map(tuple),
    features=st.none() | vectors,
    findings=st.lists(findings, max_size=3).map(tuple),
    evidence=st.lists(st.builds(PictureFile, names, names, names), max_size=3).map(tuple),
    trace=st.none() | st.builds(Trace, st.binary(), st.lists(keys).map(tuple), names),
)


def _without_features(record: RequestRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name != "features"}


@given(records)
def test_any_record_survives_its_line_of_json(record: RequestRecord) -> None:
    line = record.to_json()
    back = RequestRecord.from_json(line)
    assert "\n" not in line
    assert _without_features(back) == _without_features(record)
    assert (back.features is None) == (record.features is None)
    if back.features is not None and record.features is not None:
        assert back.features.collect_values() == record.features.collect_values()


def test_a_line_of_before_there_were_traces_is_still_read() -> None:
    record = RequestRecord(
        "id", datetime(2026, 3, 2, tzinfo=UTC), "cli:local", "cli", Stage.GATE, Verdict.REFUSE, 422
    )
    line = record.to_json().replace(', "trace": null', "")
    assert "trace" not in line
    assert RequestRecord.from_json(line) == record


def test_a_line_of_before_findings_had_places_is_still_read() -> None:
    moment, finding = datetime(2026, 3, 2, tzinfo=UTC), Finding(ADVERSARIAL_PICTURE, {"holes": 1.0})
    record = RequestRecord(
        "id", moment, "cli:local", "cli", Stage.PARSED, Verdict.FLAG, 200, findings=(finding,)
    )
    line = record.to_json()
    for old in ('{"holes": 1.0}, "suspect"]', '{"holes": 1.0}]'):
        earlier = line.replace('{"holes": 1.0}, "suspect", []]', old)
        assert earlier != line
        assert RequestRecord.from_json(earlier) == record


def test_a_local_time_means_the_same_moment_afterwards() -> None:
    local = datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-9)))
    record = RequestRecord("id", local, "cli:local", "cli", Stage.GATE, Verdict.REFUSE, 422)
    assert RequestRecord.from_json(record.to_json()).received_at == local
