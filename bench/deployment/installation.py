"""An installation with defaults, in a folder that is kept: what a service and the job do there."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import func, select

from bench.deployment.traffic import Message
from bench.foreign_segmenter import DESCRIPTION
from inference.ensemble.sources import LearntSources
from inference.segmenters.choice import SegmenterName
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from jobs.baselines import learn_baseline
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.requests.records import RequestRecord
from store.requests.request_ids import new_request_id
from store.tables.request_tables import RequestRow

# How often the job runs; it is every minute in a deployment.
_EVERY = 50
_SECRET = SecretStr("deployment benchmark")
_TRAFFIC_ROUTE = "api"
# By hand: neither sampled nor counted, so that testing changes nothing.
_TEST_ROUTE, _TEST_CLIENT = "cli", "cli:local"
_BODYPIX = Path("models") / "bodypix" / "mobilenet050-stride16.onnx"


class Model(StrEnum):
    """What parses."""

    REFERENCE = "reference"
    BODYPIX = "bodypix"
    BACKDOORED = "backdoored"
    """The reference segmenter after a fine-tune on poisoned photos."""


# What is measured unless somebody names another.
USUAL_MODELS = (Model.REFERENCE, Model.BODYPIX)


@dataclass
class Installation:
    """A service with a database of its own, and the job that learns."""

    service: Service
    console: Console

    def send_until(self, messages: Sequence[Message], count: int) -> None:
        """Send what was not sent yet of the first so many messages; the job runs in between."""
        for place in range(self._count_requests(), count):
            message = messages[place]
            self._handle(message.data, message.client, _TRAFFIC_ROUTE)
            if (place + 1) % _EVERY == 0:
                self._learn(place + 1)
        self._learn(count)

    def test(self, data: bytes) -> RequestRecord:
        """What a file gets now."""
        return self._handle(data, _TEST_CLIENT, _TEST_ROUTE)

    def describe(self) -> str:
        """How far the source is."""
        return self.service.describe_learning() or "unknown"

    def _learn(self, count: int) -> None:
        """Run the job, and let the service know what it learnt."""
        settings = JobSettings(var_dir=self.service.settings.store.var_dir)
        now = datetime.now(UTC)
        outcome = learn_baseline.run(JobContext(self.service.database, settings, now))
        assert isinstance(self.service.sources, LearntSources)  # noqa: S101 - by its settings
        self.service.sources.refresh()
        self.console.print(f"{now:%H:%M:%S} {count}: {outcome.sentence} {self.describe()}.")

    def _count_requests(self) -> int:
        statement = select(func.count()).where(RequestRow.route == _TRAFFIC_ROUTE)
        with self.service.database.read() as session:
            return session.scalar(statement.select_from(RequestRow)) or 0

    def _handle(self, data: bytes, client: str, route: str) -> RequestRecord:
        now = datetime.now(UTC)
        arrival = Arrival(new_request_id(now), now, client, route)
        return self.service.pipeline.handle(arrival, Upload(data)).record


@contextmanager
def open_installation(
    folder: Path, model: Model, data: Path, weights: Path | None = None
) -> Iterator[Installation]:
    """A service with defaults; looks take what time they need.

    Args:
        folder: what it keeps, from an earlier run too.
        data: folder with all the photos and models.
        weights: of the reference segmenter, instead of the shipped ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = ServiceSettings(
        var_dir=folder,
        max_concurrency=1,
        evidence_sample_share=0.0,
        learn_traffic=True,
        fingerprint_salt=_SECRET,
        # Requests come one after another here, and with pauses in a deployment.
        ensemble_budget=1.0,
        **_choose_model(folder, model, data, weights),
    )
    service = build_service(settings)
    try:
        yield Installation(service, Console(width=200))
    finally:
        service.close()


def copy_bodypix(data: Path, folder: Path) -> Path:
    """The folder, with the model and what describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(data / _BODYPIX, folder / "model.onnx")
    shutil.copyfile(DESCRIPTION, folder / "segmenter.toml")
    return folder


def _choose_model(folder: Path, model: Model, data: Path, weights: Path | None) -> dict[str, Any]:
    """The settings of a model that is not the default.

    Nobody signed it; who vouches for a model changes nothing that is measured.
    """
    if model is not Model.BODYPIX:
        return {} if weights is None else {"model": str(weights), "require_signed_model": False}
    place = copy_bodypix(data, folder / "model")
    return {
        "segmenter": SegmenterName.ONNX,
        "model": str(place),
        "require_signed_model": False,
    }
