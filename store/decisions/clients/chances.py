"""How often an honest client's request looks like evidence, by chance."""

from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.outliers.cutoff import outlier_cutoff
from store.models.outlier_models import champion


def read_chances(session: Session, p_value: float) -> dict[EvidenceKind, float]:
    """How often an honest client's request is an outlier, as the promoted model has it."""
    row = champion(session)
    return name_chances(p_value, None if row is None else row.rows)


def name_chances(p_value: float, rows: int | None) -> dict[EvidenceKind, float]:
    """The same of a model of so many rows, or without one."""
    share = p_value if rows is None else outlier_cutoff(p_value, rows)
    return {EvidenceKind.OUTLIER: share}
