"""What another champion would have found."""

from datetime import timedelta
from typing import Any

import pytest

from detectors.outliers.base import ModelChanged
from jobs.backtest.run import Wish, run_backtest
from jobs.backtest.tallies import Count
from jobs.context import JobContext
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import run as scan
from store.models.outlier_models import NoOutlierModel, champion
from tests.jobs.backtest.results import ATTACKER, count, notes


@pytest.mark.usefixtures("few_trees")
def test_the_champion_finds_the_outliers_that_it_found(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 60, minutes_ago=170)
    retrain(context)
    digest = promoted(context)
    traffic.clean("ip:203.0.113.2", 40, minutes_ago=160)
    scan(context)
    traffic.wild(ATTACKER, 3, minutes_ago=90)
    traffic.clean("ip:203.0.113.2", 30, minutes_ago=80)
    scan(context)
    traffic.wild(ATTACKER, 2, minutes_ago=10)
    scan(context)
    wish, since = Wish(model=digest[:8]), context.now - timedelta(minutes=165)
    result = run_backtest(context, wish, since, context.now)
    was, would, new, gone = count(result, Count.OUTLIERS)
    assert (was, new, gone) == (would, 0, 0)
    assert was >= 5
    assert "too few vetted requests to promise" in notes(result)
    part = run_backtest(context, wish, context.now - timedelta(minutes=30), context.now)
    assert count(part, Count.OUTLIERS) == (2, 2, 0, 0)


@pytest.mark.usefixtures("few_trees")
def test_a_model_that_is_not_there_or_was_changed_is_one_sentence(
    context: JobContext, traffic: Any
) -> None:
    since = context.now - timedelta(hours=3)
    with pytest.raises(NoOutlierModel, match="There is no outlier model 'abcdef'"):
        run_backtest(context, Wish(model="abcdef"), since, context.now)
    traffic.clean("ip:203.0.113.1", 60)
    retrain(context)
    digest = promoted(context)
    [archive] = (context.settings.store.var_dir / "models").rglob(f"{digest}*.safetensors")
    archive.chmod(0o600)
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelChanged, match="was changed on disk"):
        run_backtest(context, Wish(model=digest[:8]), since, context.now)


def promoted(context: JobContext) -> str:
    with context.database.read() as session:
        row = champion(session)
    assert row is not None
    return row.digest
