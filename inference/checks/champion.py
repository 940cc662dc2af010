"""The promoted outlier model at request time: what the scan will find too, found at once.

The finding is recorded and flags nothing. One request in a hundred is an outlier by construction,
and flagged requests are left out of the next training: a model that flags would call more and more
of the normal traffic rare, night after night.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detectors.findings import Finding
from inference.checks.base import Case, CheckResult, Needs
from inference.checks.promoted_model import PromotedModel
from inference.fresh_copy import FreshCopy, Marks
from inference.metrics import Metrics
from store.engine.change_marks import Mark
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, champion
from store.tables.work_tables import OutlierModelRow

Judge = Callable[[Mapping[str, float]], tuple[Finding, ...]]


class Champion(FreshCopy):
    """The promoted model in memory, kept fresh.

    Without a model, or with one whose file is gone, changed or signed by nobody, nothing is found.
    While the database is away the last known model goes on.
    """

    def __init__(
        self, database: Database, store: OutlierModelStore, p_value: float, metrics: Metrics
    ) -> None:
        super().__init__("champion", "outlier model", database, metrics)
        self._store = store
        self._p_value = p_value
        self._mark: int | None = None
        self._current: Judge | None = None

    def findings(self, features: Mapping[str, float]) -> tuple[Finding, ...]:
        """What the model says of the measured features of a request."""
        judge = self._current
        return () if judge is None else judge(features)

    def _read_if_changed(self, marks: Marks) -> None:
        mark = marks[Mark.OUTLIER_MODEL]
        if mark == self._mark:
            return
        with self._database.read() as session:
            row = champion(session)
        # Before the file is read: one that does not serve is not read again every half second.
        self._mark, self._current = mark, None
        if row is not None:
            self._current = self._load(row)

    def _load(self, row: OutlierModelRow) -> Judge:
        archive = self._store.read(row.digest)
        return PromotedModel.load(archive, row.digest, self._p_value, row.rows).findings


@dataclass(frozen=True)
class ChampionCheck:
    """Scores each request whose content was measured as a whole."""

    champion: Champion
    name = "champion"
    needs = Needs.FINDINGS

    def run(self, case: Case) -> CheckResult:
        """The finding of an outlier."""
        if not case.is_measured:
            return CheckResult()
        return CheckResult(findings=self.champion.findings(case.features))
