"""What the demo observed, and whether it is what Maskwatch promises."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Fact:
    """One thing that has to be seen."""

    claim: str
    observation: str
    holds: bool


@dataclass
class Report:
    """Facts in the order in which they were observed, and a tally of answers by act.

    Attributes:
        part: of the story, for the heading.
    """

    part: str
    facts: list[Fact] = field(default_factory=list)
    answers: dict[str, Counter[str]] = field(default_factory=dict)

    def observe(self, claim: str, observation: object, holds: bool) -> None:
        """Note one fact."""
        self.facts.append(Fact(claim, str(observation), holds))

    def tally(self, act: str, status: int, outcome: str) -> None:
        """Count one answer."""
        self.answers.setdefault(act, Counter())[
            outcome if status == 200 else f"{status} {outcome}"
        ] += 1

    @property
    def holds(self) -> bool:
        """Whether every fact was seen."""
        return bool(self.facts) and all(fact.holds for fact in self.facts)

    def show(self, console: Console) -> None:
        """Print both tables."""
        console.print(f"\n[bold]{self.part}[/]")
        traffic = Table("Uploads", "Verdicts", title="What was sent", title_justify="left")
        for act, counts in self.answers.items():
            traffic.add_row(
                act, ", ".join(f"{n} × {outcome}" for outcome, n in counts.most_common())
            )
        console.print(traffic)
        facts = Table("", "Claim", "Observed", title="What was observed", title_justify="left")
        for fact in self.facts:
            mark = "[green]✓[/]" if fact.holds else "[red]✗[/]"
            facts.add_row(mark, fact.claim, fact.observation)
        console.print(facts)
