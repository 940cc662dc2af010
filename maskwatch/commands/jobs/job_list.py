"""``maskwatch jobs list``: the catalogue, in words."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from jobs.catalogue import JOBS, describe_schedule
from jobs.settings import JobSettings


@dataclass(frozen=True)
class JobView:
    """A job as people may see it."""

    name: str
    schedule: str
    purpose: str


def list_schedule(settings: JobSettings) -> Iterator[JobView]:
    """Every job, in the order of the catalogue."""
    for job in JOBS:
        yield JobView(job.name, describe_schedule(job, settings), job.purpose)


def to_json(view: JobView) -> str:
    """One JSON object."""
    return json.dumps(asdict(view))


def to_text(view: JobView) -> str:
    """One line for people."""
    return f"{view.name:<20} {view.schedule:<20} {view.purpose}"
