"""What the parts of a request cost, by the service's own metrics and records."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

import httpx2
from sqlalchemy import select

from store.engine.database import Database
from store.settings import StoreSettings
from store.tables.request_tables import features_table

_STEP = re.compile(r'maskwatch_step_seconds_sum\{step="([a-z_]+)"\} (\S+)')
_PARSES = re.compile(r'maskwatch_step_seconds_count\{step="parse"\} (\S+)')
_ENSEMBLES = re.compile(r'maskwatch_ensembles_total\{outcome="([a-z_]+)"\} (\S+)')


class Profile:
    """The steps of a running service between two moments."""

    def __init__(self, url: str) -> None:
        self._url = httpx2.URL(url).join("/metrics")
        self._seconds, self._pictures = self._read()
        self._ensembles = self._read_ensembles()

    def milliseconds(self) -> dict[str, float]:
        """Mean milliseconds a picture of each step since this was made."""
        seconds, pictures = self._read()
        return {
            step: 1000 * (spent - self._seconds.get(step, 0.0)) / (pictures - self._pictures)
            for step, spent in seconds.items()
        }

    def ensembles_per_picture(self) -> dict[str, float]:
        """Share of the pictures since this was made by what became of their ensemble."""
        fates = self._read_ensembles()
        new = {fate: count - self._ensembles.get(fate, 0.0) for fate, count in fates.items()}
        return {fate: count / sum(new.values()) for fate, count in new.items() if count}

    def _read_ensembles(self) -> Mapping[str, float]:
        text = httpx2.get(self._url).text
        return {fate: float(count) for fate, count in _ENSEMBLES.findall(text)}

    def _read(self) -> tuple[Mapping[str, float], float]:
        text = httpx2.get(self._url).text
        steps = {step: float(spent) for step, spent in _STEP.findall(text)}
        parses = _PARSES.search(text)
        return steps, float(parses.group(1)) if parses else 0.0


def medians_of_records(folder: Path, features: Sequence[str]) -> dict[str, float]:
    """Medians of recorded features over all records of the service in a folder."""
    with (
        closing(Database.open(StoreSettings(var_dir=folder))) as database,
        database.read() as session,
    ):
        rows = session.execute(select(*(features_table.c[name] for name in features))).all()
    columns = zip(*rows, strict=True)
    return {
        name: median(value for value in column if value is not None)
        for name, column in zip(features, columns, strict=True)
    }
