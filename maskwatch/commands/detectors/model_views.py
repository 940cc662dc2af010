"""What is said alike of the models that are kept: outlier models and re-rankers."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from maskwatch.commands.printable import escape_unprintable
from store.models.outlier_models import HELD_BACK
from store.tables.model_tables import PromotionRow, RerankerPromotionRow

WHOLE = "as it was written"
"""What is said of a file that nobody changed."""


@dataclass(frozen=True)
class PromotionView:
    """When a model came into force; the time in ISO 8601, UTC."""

    promoted_at: str
    promoted_by: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ModelView(ABC):
    """A model as people may see it; times in ISO 8601, UTC.

    Attributes:
        metrics: what its training measured, and what was decided.
        file: whether its file is as it was written, or what is wrong; ``None`` if nobody looked.
    """

    digest: str
    kind: str
    trained_at: str
    metrics: Mapping[str, object]
    promotions: tuple[PromotionView, ...]
    file: str | None = None

    @abstractmethod
    def to_text(self) -> str:
        """One line for people."""

    def to_lines(self) -> Iterator[str]:
        """All that is known of it, line by line."""
        yield self.to_text()
        yield f"digest     {self.digest}"
        yield escape_unprintable(f"file       {self.file}")
        for name, value in sorted(self.metrics.items()):
            yield escape_unprintable(f"{name}: {json.dumps(value)}")
        for each in self.promotions:
            text = f"in force from {each.promoted_at[:16]} by {each.promoted_by}. {each.why}"
            yield escape_unprintable(text.rstrip())

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def _phrase(self, name: str, learnt_from: str, *, is_in_force: bool) -> str:
        mark = "*" if is_in_force else " "
        return escape_unprintable(
            f"{mark}{name:>5}  {self.digest[:12]}  {self.kind:<18} {self.trained_at[:16]}  "
            f"{learnt_from}  {self._say_standing()}"
        )

    def _say_standing(self) -> str:
        if self.promotions:
            last = self.promotions[-1]
            return f"promoted {last.promoted_at[:16]} by {last.promoted_by}"
        return f"held back: {self.metrics.get(HELD_BACK, 'not promoted yet')}"


def view_promotions(
    promotions: Sequence[PromotionRow] | Sequence[RerankerPromotionRow], model_id: int
) -> tuple[PromotionView, ...]:
    """Those of one model, in their order."""
    return tuple(
        PromotionView(each.promoted_at.isoformat(), each.promoted_by, each.why)
        for each in promotions
        if each.model_id == model_id
    )
