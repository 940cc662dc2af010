"""What the alert rules about an upstream have in common: each is about a share of its answers."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from store.alert_rules.rule import Facts, Judgement, Surroundings, Title, Unit, UnitKind
from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, WARNING, Condition, open_alerts
from store.counts.upstream_answers import WINDOW, AnswerFate, UpstreamAnswers, upstream_answers
from store.phrases import phrase_count, phrase_share
from store.tables.work_tables import AlertRow

# Fewer pictures say little about a service.
MIN_PICTURES = 5
# From here on next to nothing works.
_CRITICAL_SHARE = 0.8
# An open alert closes only clearly below its threshold, or it would flap on the border.
_RESOLVE_BELOW = 0.8
SHARE = Unit(UnitKind.SHARE, "share of the pictures")


@dataclass(frozen=True)
class UpstreamShare:
    """One of these rules.

    Attributes:
        predicate: what became of the pictures, behind their number.
    """

    code: str
    fate: AnswerFate
    predicate: str

    def look(self, around: Surroundings) -> Judgement:
        """Judge the answers of the last quarter of an hour."""

        def judge(session: Session) -> Iterator[Condition]:
            answers = upstream_answers(session, around.now)
            limit = around.alerts.upstream_share_threshold
            yield self.judge_answers(answers, limit, bool(open_alerts(session, self.code)))

        return judge

    def judge_answers(self, answers: UpstreamAnswers, limit: float, is_open: bool) -> Condition:
        """Too many pictures had one fate.

        Args:
            is_open: whether the alert fires already; it then closes at a lower share.
        """
        share, count = answers.share(self.fate), answers.fates[self.fate]
        is_above = share > (_RESOLVE_BELOW * limit if is_open else limit)
        minutes = int(WINDOW.total_seconds() // 60)
        return Condition(
            fingerprint=self.code,
            rule=self.code,
            severity=CRITICAL if share > _CRITICAL_SHARE else WARNING,
            active=is_above and answers.total >= MIN_PICTURES,
            value=share,
            threshold=limit,
            summary=(
                f"Of {phrase_count(answers.total, 'picture')} that went to the service within "
                f"{minutes} minutes {count} {self.predicate}."
            ),
            atlas=NO_TECHNIQUE,
            owasp=NO_TECHNIQUE,
            evidence={"pictures": answers.total, "fates": dict(answers.fates)},
        )

    def title(self, words: str) -> Title:
        """A title that ends with the share and its limit."""
        return lambda alert: f"{words} {phrase_share(alert.value)} {_phrase_limit(alert)}"


def list_share(alert: AlertRow) -> Facts:
    """The share, and of how many."""
    return (
        ("Share", f"{phrase_share(alert.value)} {_phrase_limit(alert)}"),
        ("Pictures", str(alert.evidence.get("pictures"))),
    )


def _phrase_limit(alert: AlertRow) -> str:
    return f"(limit {phrase_share(alert.threshold)})"
