from ipaddress import ip_network
from typing import Any

import pytest

from detectors.topology.topology_limits import TopologyLimits
from detectors.verdict import Mode
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.ensemble.tile_search import TileRecipe
from inference.segmenters.choice import SegmenterName
from inference.settings import ServiceSettings
from store.configuration.groups import settings_of
from store.configuration.names import SettingsError
from store.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "the load balancer"),
        ("MODE", "panic"),
        ("REQUIRE_API_KEY", "sometimes"),
        ("ACCESS_REFRESH_SECONDS", "0"),
        ("ACCESS_REFRESH_SECONDS", "61"),
        ("ACCESS_REFRESH_SECONDS", "nan"),
        ("MODEL_KEYS", "a.pub,b.pub,c.pub"),
        ("REQUIRE_SIGNED_MODEL", "perhaps"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_PIXELS", "4e9"),
        ("MIN_SIDE", "0"),
        ("MAX_SIDE", "100000"),
        ("MAX_CONCURRENCY", "0"),
        ("MAX_QUEUE", "-1"),
        ("MIN_WAIT_SECONDS", "-1"),
        ("MIN_WAIT_SECONDS", "inf"),
        ("MAX_WAIT_SECONDS", "-1"),
        ("MAX_WAIT_SECONDS", "inf"),
        ("MAX_UPLOADS_PER_CLIENT", "0"),
        ("RATE_PER_SECOND", "-1"),
        ("RATE_PER_SECOND", "nan"),
        ("RATE_BURST", "0"),
        ("DURABILITY", "perhaps"),
        ("RECORD_WAIT_MS", "-1"),
        ("RECORD_WAIT_MS", "inf"),
        ("RECORD_BATCH", "0"),
        ("RECORD_QUEUE", "0"),
        ("RECORD_QUEUE_SECONDS", "61"),
        ("REFUSAL_RECORD_SECONDS", "-1"),
        ("REFUSAL_PAUSE_SECONDS", "-1"),
        ("MAX_CONNECTIONS", "0"),
        ("HEADER_SECONDS", "0"),
        ("BODY_SECONDS", "0"),
        ("SEND_SECONDS", "0"),
        ("IDLE_SECONDS", "0"),
        ("MIN_SKIN_SHARE", "nan"),
        ("MIN_SKIN_SHARE", "1.1"),
        ("MAX_TROUSERS_GAP", "-0.1"),
        ("EVIDENCE_SAMPLE_SHARE", "2"),
        ("ENSEMBLE", "often"),
        ("ENSEMBLE_MEMBERS", "1"),
        ("ENSEMBLE_MEMBERS", "33"),
        ("ENSEMBLE_SCALE", "0.2"),
        ("ENSEMBLE_SCALE", "1.5"),
        ("ENSEMBLE_SAMPLE_SHARE", "-0.1"),
        ("ENSEMBLE_MAX_ENTROPY", "nan"),
        ("ENSEMBLE_SQUEEZES", "some"),
        ("ENSEMBLE_PATCHES", "2"),
        ("ENSEMBLE_BUDGET", "1.1"),
        ("ENSEMBLE_MAX_MS", "0"),
        ("ENSEMBLE_MAX_MS", "inf"),
    ],
)
def test_an_absurd_value_is_refused_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MASKWATCH_{name}", value)
    with pytest.raises(SettingsError, match=f"MASKWATCH_{name} is not usable") as caught:
        load_settings(ServiceSettings)
    assert "\n" not in str(caught.value)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32,")
    monkeypatch.setenv("MASKWATCH_MODE", "enforce")
    monkeypatch.setenv("MASKWATCH_MODEL", "weights.onnx")
    settings = load_settings(ServiceSettings)
    assert settings.proxies.trusted_proxies == (
        ip_network("10.0.0.0/8"),
        ip_network("2001:db8::/32"),
    )
    assert (settings.service.mode, settings.parsing.model) == (Mode.ENFORCE, "weights.onnx")


def test_without_settings_the_service_is_private_and_only_watches() -> None:
    settings = ServiceSettings()
    assert (settings.service.host, settings.service.mode) == ("127.0.0.1", Mode.MONITOR)
    assert settings.proxies.trusted_proxies == ()


def test_the_rules_get_their_limits_from_settings_and_else_as_learnt() -> None:
    learnt = TopologyLimits(0.007, 0.05, 0.03)
    set_ = ServiceSettings(min_skin_share=0.2, max_trousers_gap=0).topology.topology_limits(learnt)
    assert (set_.min_skin_share, set_.max_trousers_gap, set_.min_hair_share) == (0.2, 0, 0.03)
    assert ServiceSettings().topology.topology_limits(learnt) == learnt


def test_the_ensemble_gets_its_policy_and_its_recipe() -> None:
    settings = ServiceSettings(
        ensemble=EnsembleMode.ALWAYS,
        ensemble_members=3,
        ensemble_scale=0.5,
        ensemble_squeezes=False,
        ensemble_sample_share=0.2,
        ensemble_max_entropy=2,
    )
    assert settings.looks.ensemble_policy() == EnsemblePolicy(EnsembleMode.ALWAYS, 2)
    recipe = settings.ensemble_recipe()
    assert recipe.without_tiles() == Recipe(3, 0.5, squeezes=False, patches=True)
    assert recipe.tiles is not None


def test_the_trigger_limit_is_that_of_the_segmenter_unless_one_is_set() -> None:
    def limit(**told: Any) -> float:
        tiles = ServiceSettings(**told).ensemble_recipe().tiles
        assert tiles is not None
        return tiles.max_score

    assert limit() == TileRecipe().max_score == 0.07
    assert limit(segmenter=SegmenterName.M2FP) == 0.3
    assert limit(max_trigger_score=0) == 0
    assert limit(segmenter=SegmenterName.M2FP, max_trigger_score=0.2) == 0.2


def test_every_field_is_documented() -> None:
    for name, setting in settings_of(ServiceSettings).items():
        assert setting.field.description, name
