"""The judging of batches as work of an engine: here, or packed for a process elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256

import numpy as np

from detectors.outliers.model import OutlierModel
from jobs.engines.base import Recipe, Worker
from jobs.engines.packed_arrays import pack_arrays, unpack_arrays
from jobs.outliers.judging import Champion, JudgedBatch, judge_batch
from store.models.scans import Scores
from store.requests.unscored import UnscoredRequests


@dataclass(frozen=True, eq=False)
class Judging:
    """What the promoted model makes of batches of requests."""

    by: Champion

    def do(self, batch: UnscoredRequests) -> JudgedBatch:
        """Judge a batch."""
        return judge_batch(self.by.model, batch)

    def recipe(self) -> Recipe:
        """The model as its archive, with the hash that it must have."""
        archive = self.by.model.dumps()
        document = {"sha256": sha256(archive).hexdigest()}
        arrays = {"archive": np.frombuffer(archive, np.uint8)}
        return Recipe(make_judge, pack_arrays(document, arrays))

    def pack(self, batch: UnscoredRequests) -> bytes:
        """A batch; each name of a source once."""
        names, numbers = _number_sources(batch.sources)
        arrays = {
            "keys": np.array(batch.keys, np.int64),
            "sources": numbers,
            "clients": batch.clients,
            "rows": batch.rows,
        }
        return pack_arrays(names, arrays)

    def unpack(self, answer: bytes) -> JudgedBatch:
        """The batch as it was judged."""
        arrays = unpack_arrays(answer).arrays
        scores = Scores(**{each.name: arrays[each.name] for each in fields(Scores)})
        return JudgedBatch(scores, arrays["values"], arrays["of_source"])


def make_judge(material: bytes) -> Worker:
    """What judges packed batches.

    Raises:
        ModelChanged: the archive is not what was packed.
    """
    packed = unpack_arrays(material)
    model = OutlierModel.loads(packed.arrays["archive"].tobytes(), packed.document["sha256"])

    def judge(batch: bytes) -> bytes:
        return _pack_judged(judge_batch(model, _unpack_batch(batch)))

    return judge


def _number_sources(sources: Sequence[str | None]) -> tuple[list[str | None], np.ndarray]:
    """Distinct sources, and the number of each request's among them, ``(n,)``."""
    numbers = {source: number for number, source in enumerate(dict.fromkeys(sources))}
    return list(numbers), np.array([numbers[source] for source in sources], np.int32)


def _unpack_batch(data: bytes) -> UnscoredRequests:
    packed = unpack_arrays(data)
    arrays = packed.arrays
    sources = tuple(packed.document[number] for number in arrays["sources"].tolist())
    keys = tuple(arrays["keys"].tolist())
    return UnscoredRequests(keys, sources, arrays["clients"], arrays["rows"])


def _pack_judged(batch: JudgedBatch) -> bytes:
    arrays = {**vars(batch.scores), "values": batch.values, "of_source": batch.of_source}
    return pack_arrays({}, arrays)
