"""The catalogue: what every job needs so that people can be told about it."""

from pathlib import Path

import pytest

from jobs.catalogue import JOBS, Job, describe_schedule, job_named
from jobs.settings import JobSettings


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_says_in_one_sentence_what_it_does(job: Job) -> None:
    assert job.purpose[0].isupper()
    assert job.purpose.endswith(".")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scan", "every 90 s"),
        ("decide", "after group_families"),
        ("retrain", "daily at 4:00 Europe/Berlin, up to 15 minutes later"),
    ],
)
def test_a_schedule_is_said_in_words(name: str, words: str, tmp_path: Path) -> None:
    settings = JobSettings(
        var_dir=tmp_path,
        scan_interval_seconds=90,
        retrain_hour=4,
        retrain_time_zone="Europe/Berlin",
    )
    assert describe_schedule(job_named(name), settings) == words
