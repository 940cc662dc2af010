"""Judging here and by a worker that got bytes alone."""

import numpy as np
import pytest

from detectors.outliers.base import ModelChanged
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from jobs.engines.packed_arrays import pack_arrays, unpack_arrays
from jobs.outliers.judging import Champion
from jobs.outliers.judging_work import Judging, make_judge
from store.requests.unscored import UnscoredRequests
from store.tables.work_tables import OutlierModelRow

_NAMES = ("first", "second", "third")


def make_work() -> Judging:
    rows = np.random.default_rng(1).normal(size=(60, 3))
    model = OutlierModel.fit(OutlierKind.NEAREST_NEIGHBOURS, rows, _NAMES, 7)
    return Judging(Champion(OutlierModelRow(), model, 0.1, 0.05))


def make_batch() -> UnscoredRequests:
    rows = np.random.default_rng(2).normal(size=(5, 3))
    rows[1] = 40
    rows[2, 0] = np.nan
    clients = np.array([7, 7, -9, 2**40, 0])
    return UnscoredRequests((3, 4, 5, 6, 7), ("b", None, "a", "b", None), clients, rows)


def test_a_worker_judges_bit_for_bit_as_it_is_done_here() -> None:
    work, batch = make_work(), make_batch()
    recipe = work.recipe()
    there = work.unpack(recipe.make(recipe.material)(work.pack(batch)))
    here = work.do(batch)
    assert there.new_scores.list_rows() == here.new_scores.list_rows()
    assert there.scores.clients.tolist() == here.scores.clients.tolist()
    assert here.of_source.shape == (5,)


def test_a_worker_refuses_a_model_that_is_not_the_one_that_was_sent() -> None:
    packed = unpack_arrays(make_work().recipe().material)
    archive = packed.arrays["archive"].copy()
    archive[-1] ^= 1
    with pytest.raises(ModelChanged):
        make_judge(pack_arrays(packed.document, {"archive": archive}))
