"""What is remembered of pictures, and that nobody can change it for others."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from detectors.parsing import Image, Parsing
from detectors.verdict import Verdict
from inference.gate.faces import FacePrior
from inference.gate.media import MediaType
from inference.gate.screen import Decoded, InFile, Screened
from inference.results.cache import ParseCache
from inference.results.content import Content
from inference.results.outcomes import MEASUREMENT_FAILED, Outcome
from inference.segmenters.current import present
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from store.pages.request_detail import request_detail
from tests.inference.conftest import FEW_LOOKS
from tests.makers import SECRET

Encode = Callable[..., bytes]
_MEGABYTES = 100_000_000


def _arrival(client: str = "ip:192.0.2.1") -> Arrival:
    return Arrival(str(uuid4()), datetime(2026, 3, 2, tzinfo=UTC), client, "api")


def _content(side: int = 10) -> Content:
    """Content whose arrays take ``8 * side * side`` bytes."""
    image = np.zeros((side, side, 3), np.uint8)
    parsing = Parsing(
        np.zeros((1, side, side), np.float32), np.zeros((side, side), np.uint8), ("background",)
    )
    decoded = Decoded(image, MediaType.PNG, (), 1.0, 1, InFile(*image.shape[:2]))
    return Content(Screened(decoded, FacePrior(tuple), {}, ()), parsing, {}, ())


@pytest.fixture
def remembering(tmp_path: Path) -> Iterator[Service]:
    service = build_service(
        ServiceSettings(
            var_dir=tmp_path, fingerprint_salt=SECRET, cache_bytes=_MEGABYTES, **FEW_LOOKS
        )
    )
    yield service
    service.close()


@pytest.fixture
def parses(remembering: Service, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """The pictures that the model has really parsed."""
    seen: list[Image] = []
    model = present(remembering.models.current)
    parse = model.parse

    def counted(_self: object, image: Image) -> Parsing:
        seen.append(image)
        return parse(image)

    monkeypatch.setattr(type(model), "parse", counted)
    return seen


def _stored_features(service: Service, outcome: Outcome) -> dict[str, float]:
    with service.database.read() as session:
        detail = request_detail(session, outcome.record.request_id)
    assert detail is not None
    assert detail.features is not None
    return detail.features.collect_values()


def test_it_is_off_by_default(service: Service, figure: Image, encode: Encode) -> None:
    service.pipeline.handle(_arrival(), Upload(encode(figure)))
    assert len(service.pipeline.cache) == 0


def test_the_same_bytes_are_parsed_once_and_each_request_has_its_record(
    remembering: Service, parses: list[Image], figure: Image, encode: Encode
) -> None:
    upload = Upload(encode(figure))
    first, second = (remembering.pipeline.handle(_arrival(), upload) for _ in range(2))
    assert len(parses) == 1
    assert first.parsing is not None
    assert second.parsing is not None
    assert np.array_equal(first.parsing.label_map, second.parsing.label_map)
    assert first.record.request_id != second.record.request_id
    before, after = (_stored_features(remembering, outcome) for outcome in (first, second))
    assert after["entropy_mean"] == before["entropy_mean"]
    assert "forward_ms" in before
    assert "forward_ms" not in after


def test_one_client_cannot_change_anothers_answer(
    remembering: Service, figure: Image, encode: Encode
) -> None:
    """An attacker may send anything, say anything about it, and send the victim's file as well."""
    victims = Upload(encode(figure), "image/png", "me.png")
    alone = remembering.pipeline.handle(_arrival("ip:192.0.2.1"), victims)
    remembering.pipeline.cache._contents.clear()
    attacker = _arrival("ip:203.0.113.66")
    for hostile in (
        Upload(victims.data, "text/html", "x.exe"),
        Upload(victims.data + b"\0"),
        Upload(victims.data[:-1]),
        Upload(encode(figure[::-1]), "image/png", "me.png"),
    ):
        remembering.pipeline.handle(attacker, hostile)
    after = remembering.pipeline.handle(_arrival("ip:192.0.2.1"), victims)
    assert alone.parsing is not None
    assert after.parsing is not None
    assert np.array_equal(after.parsing.label_map, alone.parsing.label_map)
    assert after.record.findings == alone.record.findings == ()
    assert after.record.reasons == alone.record.reasons
    assert after.record.verdict is alone.record.verdict is Verdict.PASS


def test_what_a_client_says_is_judged_for_each_request(
    remembering: Service, figure: Image, encode: Encode
) -> None:
    data = encode(figure)
    reasons = [
        remembering.pipeline.handle(_arrival(), Upload(data, declared)).record.reasons
        for declared in ("image/png", "image/gif", "image/png")
    ]
    assert reasons == [(), ("declared_type_differs",), ()]


def test_only_what_passes_is_remembered(remembering: Service, encode: Encode) -> None:
    empty_street = np.random.default_rng(0).integers(90, 110, (300, 200, 3)).astype(np.uint8)
    outcome = remembering.pipeline.handle(_arrival(), Upload(encode(empty_street)))
    assert outcome.record.verdict is not Verdict.PASS
    assert len(remembering.pipeline.cache) == 0


def test_what_could_not_be_measured_is_not_remembered(
    remembering: Service, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Parsing) -> dict[str, float]:
        raise RuntimeError("A test.")

    monkeypatch.setattr("inference.checks.measures.model_features", broken)
    outcome = remembering.pipeline.handle(_arrival(), Upload(encode(figure)))
    assert outcome.record.verdict is Verdict.PASS
    assert outcome.record.reasons == (MEASUREMENT_FAILED,)
    assert len(remembering.pipeline.cache) == 0


def test_another_model_or_other_settings_meet_nothing() -> None:
    cache = ParseCache(1_000_000, "these settings")
    cache.put("bytes", "model", _content())
    assert cache.get("bytes", "model") is not None
    assert cache.get("bytes", "another model") is None
    assert cache.get("other bytes", "model") is None


def test_settings_have_a_digest_that_leaves_secrets_out(tmp_path: Path) -> None:
    settings = ServiceSettings(var_dir=tmp_path)
    place = {"database_url": "postgresql+psycopg://h/d", "database_password": "hunter2"}
    secret = settings.model_copy(update=place)
    changed = settings.model_copy(update={"min_skin_share": 0.02})
    assert settings.digest() == secret.digest() != changed.digest()


def test_the_least_recently_used_is_forgotten_when_memory_is_full() -> None:
    size = _content().size_bytes
    cache = ParseCache(2 * size)
    for name in ("a", "b"):
        cache.put(name, "model", _content())
    cache.get("a", "model")
    cache.put("c", "model", _content())
    assert [name for name in "abc" if cache.get(name, "model")] == ["a", "c"]


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    cache = ParseCache(_content().size_bytes)
    cache.put("small", "model", _content())
    cache.put("large", "model", _content(side=11))
    assert cache.get("large", "model") is None
    assert cache.get("small", "model") is not None
