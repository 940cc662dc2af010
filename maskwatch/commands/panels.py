"""The headings of ``maskwatch --help``, and the order in which they stand there."""

from enum import StrEnum
from typing import Any

from typer.core import TyperGroup


class Panel(StrEnum):
    """A heading; what a newcomer needs first comes first."""

    SERVE = "Serve and watch"
    JOBS = "Jobs"
    MODELS = "Models"
    DECISIONS = "Decisions"
    DATABASE = "Database"
    PEOPLE = "People"
    LOOK_AROUND = "Look around"


_PLACES: dict[object, int] = {panel.value: place for place, panel in enumerate(Panel)}


class PanelGroup(TyperGroup):
    """Lists its commands panel by panel; typer would list groups behind all single commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the panels; without a panel, last."""
        return sorted(super().list_commands(ctx), key=self._place)

    def _place(self, name: str) -> int:
        panel = getattr(self.commands[name], "rich_help_panel", None)
        return _PLACES.get(panel, len(_PLACES))
