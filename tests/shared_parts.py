"""Parts that services of tests hand on: real ones, which take long to make and remember nothing.

A service starts four decode workers, a tenth of a second of a core each, and builds a network; most
tests send it one picture or none, often the same one. A client reads the certificates that the
machine trusts, which takes longer than its request. The signs of a fingerprint are drawn from the
secret of a deployment, and tests have one. The shipped weights are four megabytes to hash; and to
find the libraries that multiply, all that the process has loaded are looked at.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from ssl import SSLContext

import httpcore2
import pytest
from sqlalchemy.util import LRUCache

from detectors.parsing import Image
from detectors.probing import fingerprint
from detectors.probing.appearance import secret_weights
from inference import hosting, service
from inference.gate.sandbox import seat
from inference.gate.sandbox.process import WorkerGone, WorkerLimits, WorkerProcess
from inference.gate.sandbox.wire import Order, Reply
from inference.machine.cores import share_cores
from inference.segmenters.reference.session import Floats, NetworkSession
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.supply import verified
from inference.supply.verified import VerifiedModel
from store.models.model_files import ModelFile, hash_model_file

_MAX_KEPT = 8
# An ensemble looks at up to ten changed pictures at once, each with its mirror image; its answer
# takes ten megabytes. `explain` and `rescore` look at one in seven calls.
_MAX_ANSWERS, _MAX_LOOKS = 40, 20
# Far from those after which a worker asks to be replaced: no test shall see that of another one.
_MAX_ORDERS = 100
_kept: list["KeptWorker"] = []
_networks: dict[tuple[str, int], NetworkSession] = {}


class KeptWorker(WorkerProcess):
    """Waits for another service once it is ended, unless anything about it is unusual."""

    def __init__(self, limits: WorkerLimits) -> None:
        super().__init__(limits)
        self.limits = limits
        self._is_idle, self._orders = True, 0

    def give(self, data: bytes, order: Order) -> None:
        self._is_idle = False
        self._orders += 1
        super().give(data, order)

    def collect(self, order: Order) -> tuple[Reply, Image | None]:
        reply, image = super().collect(order)
        self._is_idle = not reply.tired
        return reply, image

    def end(self) -> None:
        if self._is_idle and self._orders < _MAX_ORDERS and self.is_well():
            _kept.append(self)
            _end_all_but(_MAX_KEPT)
        else:
            super().end()

    def end_for_good(self) -> None:
        """Kill it, as pools do outside tests."""
        super().end()

    def is_well(self) -> bool:
        """Whether it started, lives and says nothing unasked."""
        try:
            self.ready()
            self._expect_silence()
        except WorkerGone:
            return False
        return True


def _take_worker(limits: WorkerLimits) -> KeptWorker:
    """One that waits, or a new one."""
    for fitting in [each for each in _kept if each.limits == limits]:
        _kept.remove(fitting)
        if fitting.is_well():
            return fitting
        fitting.end_for_good()
    return KeptWorker(limits)


def _end_all_but(count: int) -> None:
    while len(_kept) > count:
        _kept.pop(0).end_for_good()


class KeptNetwork(NetworkSession):
    """Answers the looks of a picture as it did when it last saw the same ones."""

    def __init__(self, model: VerifiedModel, threads: int) -> None:
        self._answers: LRUCache[tuple[object, ...], Floats] = LRUCache(_MAX_ANSWERS)
        super().__init__(model, threads)

    def __call__(self, pictures: Floats) -> Floats:
        if len(pictures) > _MAX_LOOKS:
            return super().__call__(pictures)
        key = pictures.shape, sha256(pictures.tobytes()).digest()
        if (answer := self._answers.get(key)) is None:
            answer = self._answers[key] = super().__call__(pictures)
        return answer.copy()


def take_network(model: VerifiedModel, threads: int) -> NetworkSession:
    """The one of a file with the same bytes, or a new one; the file was verified just now."""
    key = model.digest, threads
    if key not in _networks:
        _networks[key] = KeptNetwork(model, threads)
    return _networks[key]


_read_certificates = httpcore2.default_ssl_context


def _take_certificates(*, _trust_env: bool = True) -> SSLContext:
    """Those that the environment names, or else those of the machine."""
    named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    return _certificates(_trust_env, named)


@cache
def _certificates(trusts_environment: bool, _named: tuple[str | None, ...]) -> SSLContext:
    return _read_certificates(_trust_env=trusts_environment)


_take_signs = lru_cache(maxsize=4)(secret_weights)


@cache
def _hash_shipped_file(model: Path, name: str) -> ModelFile:
    return hash_model_file(model, name)


def _hash_file(model: Path, name: str) -> ModelFile:
    """Hash a file, unless it is the one that no test changes and that was hashed before."""
    return (_hash_shipped_file if model == DEFAULT_WEIGHTS else hash_model_file)(model, name)


@contextmanager
def share_parts() -> Iterator[None]:
    """Services and clients take what others gave back, as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", _take_certificates)
        patch.setattr(fingerprint, "secret_weights", _take_signs)
        patch.setattr(seat, "WorkerProcess", _take_worker)
        patch.setattr(hosting, "NetworkSession", take_network)
        patch.setattr(verified, "hash_model_file", _hash_file)
        patch.setattr(service, "share_cores", lru_cache(maxsize=1)(share_cores))
        yield
    _end_all_but(0)
