"""A service with a foreign network: wired by settings, signed, recorded."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detectors.parsing import Image
from inference.hosting import load_model
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError
from inference.upload import Arrival, Upload
from store.settings import StoreSettings
from tests.inference.segmenters.foreign_models import network, write_model
from tests.makers import SECRET

Encode = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "foreign", network())


@pytest.fixture
def service(folder: Path, store_settings: StoreSettings) -> Iterator[Service]:
    settings = ServiceSettings(
        store=store_settings.store,
        fingerprint_salt=SECRET,
        segmenter="onnx",
        model=str(folder),
        require_signed_model=False,
    )
    service = build_service(settings)
    service.models.start()
    yield service
    service.close()


def test_a_picture_is_parsed_measured_and_recorded(
    service: Service, figure: Image, encode: Encode
) -> None:
    arrival = Arrival("1", datetime.now(UTC), "ip:192.0.2.1", "api")
    outcome = service.pipeline.handle(arrival, Upload(encode(figure)))
    assert outcome.parsing is not None
    assert outcome.parsing.labels[1:] == ("face", "visage", "upper_clothes")
    assert outcome.record.segmenter == service.pipeline.segmenter.digest
    assert outcome.record.features is not None
    assert "measurement_failed" not in outcome.record.reasons


def test_a_model_that_nobody_vouches_for_is_not_loaded(
    folder: Path, store_settings: StoreSettings
) -> None:
    settings = ServiceSettings(store=store_settings.store, segmenter="onnx", model=str(folder))
    with pytest.raises(ModelError, match=r"has no signature at .*model\.sig: sign it with"):
        load_model(settings)


def test_a_folder_has_to_be_named(store_settings: StoreSettings) -> None:
    settings = ServiceSettings(store=store_settings.store, segmenter="onnx")
    with pytest.raises(ModelError, match="segmenter onnx needs a model folder: name it with --mo"):
        load_model(settings)
