"""What is done in processes that are killed: jobs, in small pieces and within any bounds."""

from detectors.outliers.challengers.trial import Bound
from detectors.outliers.forests import isolation_forest
from jobs.backtest import backtest
from jobs.backtest.run import Wish, run_backtest
from jobs.commands import run_once
from jobs.context import JobContext
from jobs.outliers import gate, group_families, retrain, scan, train_reranker
from tests.jobs.backtest.past import START


def decide(context: JobContext) -> None:
    """The job ``decide``, as the scheduler runs it."""
    run_once("decide", context.settings, context.now)


def play_back(context: JobContext) -> None:
    """A backtest, ten requests at a time."""
    backtest._CHUNK = 10
    run_backtest(context, Wish(), START, context.now)


def retrain_within_any_bounds(context: JobContext) -> None:
    """A retraining that promotes what it trained, as few rows and trees decide nothing."""
    isolation_forest._TREES = 20
    for name in ("ONE_NIGHT", "FOURTEEN_NIGHTS"):
        setattr(gate, name, Bound(1, 1, 1, 1, 1))
    retrain.run(context)


def scan_in_pieces(context: JobContext) -> None:
    """A scan, ten requests at a time."""
    scan._CHUNK = 10
    scan.scan(context)


def train_order(context: JobContext) -> None:
    """The job ``train_reranker``."""
    train_reranker.run(context)


def group(context: JobContext) -> None:
    """The job ``group_families``."""
    group_families.run(context)
