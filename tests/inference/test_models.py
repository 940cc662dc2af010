"""A model is replaced only by one that was checked, and requests keep the one they began with."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from threading import Thread

import httpx2
import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select
from structlog.testing import capture_logs

from detectors.parsing import Image, Parsing
from inference.segmenters.current import CurrentSegmenter, present
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.export import write_network
from inference.segmenters.reference.training.network import ReferenceNetwork
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError
from inference.supply.verified import hash_files
from inference.upload import Arrival, Upload
from jobs.alerting import integrity
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.baselines.source_names import find_name
from store.engine.database import Database
from store.models.loaded_models import models_in_use, this_host
from store.models.signatures import sign
from store.settings import StoreSettings
from store.tables.work_tables import LoadedModelRow
from tests.inference.conftest import FEW_LOOKS
from tests.makers import SECRET
from tests.waiting import PATIENCE_SECONDS

Encode = Callable[..., bytes]


def _write(path: Path, seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_network(seed))


@cache
def _network(seed: int) -> bytes:
    torch.manual_seed(seed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.onnx"
        write_network(path, ReferenceNetwork(len(LABELS)), {})
        return path.read_bytes()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _sign(path: Path) -> None:
    key = path.with_name("signer.key")
    key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    sign(path, hash_files(path), key, None)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "weights.onnx"
    _write(path, 1)
    return path


@pytest.fixture
def running(weights: Path, store_settings: StoreSettings) -> Iterator[Service]:
    settings = ServiceSettings(
        store=store_settings.store,
        fingerprint_salt=SECRET,
        model=str(weights),
        require_signed_model=False,
        **FEW_LOOKS,
    )
    service = build_service(settings)
    service.models.start()
    yield service
    service.close()


def _arrival() -> Arrival:
    return Arrival("1", datetime.now(UTC), "ip:192.0.2.1", "api")


def _loads(service: Service) -> list[str]:
    with service.database.read() as session:
        return list(session.scalars(select(LoadedModelRow.digest).order_by(LoadedModelRow.id)))


def _reloads(service: Service, outcome: str) -> float | None:
    return service.metrics.registry.get_sample_value(
        "maskwatch_model_reloads_total", {"outcome": outcome}
    )


def test_the_model_that_serves_is_written_down_once(running: Service, weights: Path) -> None:
    with running.database.read() as session:
        (row,) = models_in_use(session, this_host())
        name = find_name(session, row.digest)
    assert name == "reference model weights.onnx"
    assert row.path == str(weights)
    assert row.digest == row.files[weights.name] == running.pipeline.segmenter.digest
    assert (row.segmenter, row.service, row.signed_by) == ("reference", "127.0.0.1:8080", None)


def test_a_service_that_only_parses_files_writes_down_no_load(service: Service) -> None:
    assert _loads(service) == []


def test_a_new_model_takes_over_and_is_written_down(running: Service, weights: Path) -> None:
    before = running.pipeline.segmenter.digest
    _write(weights, 2)
    assert running.models.reload()
    after = running.pipeline.segmenter.digest
    assert _loads(running) == [before, after]
    assert before != after
    assert _reloads(running, "loaded") == 1


@pytest.mark.parametrize("fault", ["flipped", "truncated", "gone", "other network"])
def test_a_model_that_fails_its_checks_leaves_the_running_one(
    running: Service, weights: Path, figure: Image, encode: Encode, fault: str
) -> None:
    before = running.pipeline.segmenter.digest
    if fault == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif fault == "gone":
        weights.unlink()
    elif fault == "other network":
        weights.write_bytes(b"another network")
    else:
        _sign(weights)
        _flip(weights)
    with capture_logs() as logs:
        assert not running.models.reload()
    assert weights.name in logs[-1]["why"]
    assert _reloads(running, "failed") == 1
    assert _loads(running) == [before]
    outcome = running.pipeline.handle(_arrival(), Upload(encode(figure)))
    assert outcome.record.segmenter == before


def test_a_load_that_cannot_be_written_down_does_not_serve(
    running: Service, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = running.pipeline.segmenter.digest
    _write(weights, 2)
    with capture_logs() as logs, monkeypatch.context() as broken:
        broken.setattr("inference.models.add_loaded_model", lambda *_: 1 / 0)
        assert not running.models.reload()
    assert logs[-1]["log_level"] == "error"
    assert running.pipeline.segmenter.digest == before


def test_a_request_is_recorded_with_the_model_that_parsed_it(
    running: Service, weights: Path, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = present(running.models.current)
    parse = first.parse
    _write(weights, 2)

    def overtaken(_self: object, image: Image) -> Parsing:
        assert running.models.reload()
        return parse(image)

    with monkeypatch.context() as patched:
        patched.setattr(ReferenceSegmenter, "parse", overtaken)
        outcome = running.pipeline.handle(_arrival(), Upload(encode(figure)))
    assert outcome.record.segmenter == first.digest
    assert running.pipeline.segmenter.digest != first.digest


def test_a_holder_hands_on_and_can_be_looked_through(segmenter: ReferenceSegmenter) -> None:
    holder = CurrentSegmenter(segmenter)
    assert present(holder) is present(segmenter) is segmenter
    assert (holder.name, holder.digest, holder.labels) == (
        segmenter.name,
        segmenter.digest,
        segmenter.labels,
    )
    picture = np.zeros((32, 32, 3), np.uint8)
    assert np.array_equal(holder.parse(picture).label_map, segmenter.parse(picture).label_map)
    assert len(holder.probabilities([picture, picture])) == 2


def test_a_flipped_byte_stops_the_start_by_name(weights: Path, tmp_path: Path) -> None:
    _sign(weights)
    _flip(weights)
    with pytest.raises(ModelError, match=weights.name):
        build_service(ServiceSettings(var_dir=tmp_path, model=str(weights)))


@contextmanager
def _lines(process: "subprocess.Popen[str]") -> "Iterator[Queue[str]]":
    """Whatever a process prints, without waiting for it; then the process is ended."""
    lines: Queue[str] = Queue()
    assert process.stdout is not None
    reader = Thread(target=_pass_on, args=(process.stdout, lines))
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        # Before the file is closed under it.
        reader.join()


def _pass_on(output: Iterable[str], lines: "Queue[str]") -> None:
    for line in output:
        lines.put(line)


def _said(lines: "Queue[str]", word: str) -> str:
    while True:
        line = lines.get(timeout=PATIENCE_SECONDS)
        if word in line:
            return line


def _integrity(var_dir: Path) -> str:
    """What the job says, in another process than the service."""
    settings = JobSettings(var_dir=var_dir)
    with closing(Database.open(settings)) as database:
        return integrity.run(JobContext(database, settings, datetime.now(UTC))).sentence


def test_a_running_service_answers_a_hangup(weights: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "MASKWATCH_VAR_DIR": str(tmp_path / "var"),
        "MASKWATCH_MODEL": str(weights),
        "MASKWATCH_REQUIRE_SIGNED_MODEL": "false",
        "MASKWATCH_PORT": "0",
    }
    with (
        subprocess.Popen(
            [sys.executable, "-u", "-m", "maskwatch", "serve"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        _lines(process) as lines,
    ):
        url = _said(lines, "Service: ").split()[1].removesuffix("/v1/parse")
        good = weights.read_bytes()
        weights.write_bytes(good[:-1])
        process.send_signal(signal.SIGHUP)
        assert weights.name in _said(lines, "model not loaded again")
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert "1 model compared with the files on disk, 1 changed." in _integrity(tmp_path / "var")
        _write(weights, 2)
        process.send_signal(signal.SIGHUP)
        _said(lines, "model loaded again")
        assert "1 model compared with the files on disk, 0 changed." in _integrity(tmp_path / "var")
        metrics = httpx2.get(f"{url}/metrics").text
        assert 'maskwatch_model_reloads_total{outcome="failed"} 1.0' in metrics
        assert 'maskwatch_model_reloads_total{outcome="loaded"} 1.0' in metrics
    assert process.returncode in (0, -signal.SIGTERM)
