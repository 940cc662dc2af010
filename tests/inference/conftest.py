"""A real service on a fresh database, with the shipped weights."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.figures import draw_figure
from inference.http.app import build_app
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.engine.database import Database
from store.settings import StoreSettings
from tests.makers import SECRET
from tests.shared_parts import take_network

Encode = Callable[..., bytes]
# Drawn figures are odd, so they are looked at again: here the looks are few and small.
FEW_LOOKS: dict[str, Any] = {"ensemble_members": 2, "ensemble_scale": 0.25, "ensemble_tiles": False}


@cache
def _segmenter() -> ReferenceSegmenter:
    model = open_weights(DEFAULT_WEIGHTS)
    return ReferenceSegmenter(take_network(model, threads=1), model.digest)


@pytest.fixture
def segmenter() -> ReferenceSegmenter:
    return _segmenter()


@cache
def _figure() -> Image:
    return draw_figure(11).image


@pytest.fixture
def figure() -> Image:
    """A drawn person; a test may change it."""
    return _figure().copy()


@pytest.fixture
def encode() -> Encode:
    """Pictures as bytes: ``encode(image, "JPEG", quality=90)``."""

    def encoded(image: Image, kind: str = "PNG", **options: int) -> bytes:
        return _encode(image.tobytes(), image.shape, kind, tuple(options.items()))

    return encoded


@lru_cache(maxsize=256)
def _encode(
    pixels: bytes, shape: tuple[int, ...], kind: str, options: tuple[tuple[str, int], ...]
) -> bytes:
    """Most tests send the same few pictures; a PNG takes a tenth of a second."""
    buffer = BytesIO()
    image = np.frombuffer(pixels, np.uint8).reshape(shape)
    Pillow.fromarray(image).save(buffer, kind, **dict(options))
    return buffer.getvalue()


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> ServiceSettings:
    """Settings of a service whose database is migrated already."""
    return make_settings(tmp_path, sqlite_template)


def make_settings(var_dir: Path, sqlite_template: Path) -> ServiceSettings:
    """The same in a folder."""
    shutil.copy(sqlite_template, var_dir / "maskwatch.db")
    return ServiceSettings(
        var_dir=var_dir,
        fingerprint_salt=SECRET,
        ensemble_sample_share=0,
        refusal_pause_seconds=0,
        **FEW_LOOKS,
    )


@pytest.fixture
def service(settings: ServiceSettings) -> Iterator[Service]:
    built = build_service(settings)
    yield built
    built.close()


@pytest.fixture
def service_on_both(store_settings: StoreSettings) -> Iterator[Service]:
    """The same service on SQLite and on PostgreSQL; it records every refusal, at once.

    What another process writes holds soon.
    """
    built = build_service(
        ServiceSettings(
            store=store_settings.store,
            fingerprint_salt=SECRET,
            refusal_record_seconds=0,
            refusal_pause_seconds=0,
            access_refresh_seconds=0.05,
            **FEW_LOOKS,
        )
    )
    yield built
    built.close()


@pytest.fixture
def elsewhere(store_settings: StoreSettings) -> Iterator[Database]:
    """The service's database as another process sees it."""
    opened = Database.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(build_app(service), raise_server_exceptions=False) as opened:
        yield opened
