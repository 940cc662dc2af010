"""Baselines of files, where they judge and nothing is learnt."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256

from detectors.baseline.baseline import Baseline
from inference.ensemble.baselines import Baselines
from inference.ensemble.sources import describe_baseline
from maskwatch.commands.baselines.baseline_views import BaselineView

NOTHING_LEARNT = (
    "MASKWATCH_LEARN_TRAFFIC is false: nothing is learnt. A source is judged by its baseline of a "
    "file (*), if there is one, and all rules flag from the first request on."
)


def put_in_force(
    given: Baselines, stored: Iterable[BaselineView], source: str | None
) -> Iterator[BaselineView]:
    """The baselines of files, then what else is stored: of all these, the files' judge.

    Args:
        given: what services read of files.
        source: how the source of those begins that are asked for.
    """
    views = {view.digest: view for view in map(_view, given.by_digest.values())}
    known = {view.digest: view for view in stored}
    for digest, view in views.items():
        if digest not in known and view.source.startswith(source or ""):
            yield view
    for digest, view in known.items():
        yield replace(view, is_judging=digest in views)


def _view(baseline: Baseline) -> BaselineView:
    new = describe_baseline(baseline)
    return BaselineView(
        id=None,
        source=new.source,
        digest=sha256(new.text.encode()).hexdigest(),
        origin=new.origin.value,
        pictures=new.rows,
        clients=new.clients,
        learnt_at=None,
        promoted_at=None,
        promoted_by=None,
        parent=None,
        is_judging=True,
    )
