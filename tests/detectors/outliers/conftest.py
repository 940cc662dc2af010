"""Rows and fitted models for the tests of outlier models."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix

NAMES = ("width", "height", "entropy_mean", "skin_share", "persons")


@cache
def _fitted(kind: OutlierKind) -> OutlierModel:
    return OutlierModel.fit(kind, _normal(400, seed=1), NAMES, seed=7)


def _normal(rows: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).normal(10, 2, (rows, len(NAMES)))


@pytest.fixture
def normal_rows() -> Callable[..., Matrix]:
    """``normal_rows(rows, seed)``: five independent features around 10."""
    return _normal


@pytest.fixture(params=list(OutlierKind))
def kind(request: pytest.FixtureRequest) -> OutlierKind:
    found: OutlierKind = request.param
    return found


@pytest.fixture
def model(kind: OutlierKind) -> OutlierModel:
    """A model of each kind, fitted on 400 normal rows."""
    return _fitted(kind)
