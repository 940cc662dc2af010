"""The job ``integrity``: are the model files on disk still what this host's services loaded?"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jobs.context import JobContext, JobOutcome, Skipped
from store.alert_rules.model_file_changed import (
    list_unused_model_conditions,
    model_changed_condition,
)
from store.alerts.alerts import Condition, apply_condition
from store.engine.locks import take_turn
from store.models.loaded_models import models_in_use, this_host
from store.models.model_files import Differences, differences
from store.phrases import phrase_count
from store.tables.work_tables import LoadedModelRow

_Look = tuple[LoadedModelRow, Differences]


def run(context: JobContext) -> JobOutcome:
    """Hash the files again and raise or resolve an alert for each model.

    Raises:
        Skipped: no service of this host has loaded a model.
    """
    host = this_host()
    with context.database.read() as session:
        loads = models_in_use(session, host)
    if not loads:
        raise Skipped(f"No service on {host} has loaded a model yet: there is nothing to compare.")
    # Hashing takes a while: no transaction waits for it.
    looks = [(load, differences(Path(load.path), load.files)) for load in loads]
    with context.database.write() as session:
        take_turn(session, "alerts")
        in_use = models_in_use(session, host)
        current = _still_in_use(looks, in_use)
        for condition in (
            *_conditions(current),
            *list_unused_model_conditions(session, host, in_use),
        ):
            apply_condition(session, condition, context.now, judge="integrity")
    return _outcome([change for _, change in current])


def _still_in_use(looks: Iterable[_Look], in_use: Iterable[LoadedModelRow]) -> list[_Look]:
    """Leave out what was loaded anew meanwhile: the files belong to another load now."""
    ids = {load.id for load in in_use}
    return [(load, change) for load, change in looks if load.id in ids]


def _conditions(looks: Iterable[_Look]) -> Iterator[Condition]:
    for load, change in looks:
        yield model_changed_condition(load, change)


def _outcome(changes: Sequence[Differences]) -> JobOutcome:
    count = sum(each.total > 0 for each in changes)
    return JobOutcome(
        f"{phrase_count(len(changes), 'model')} compared with the files on disk, {count} changed.",
        len(changes),
    )
