"""Figures of finished steps in a folder: a run that was stopped goes on from there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import cast

from rich.console import Console

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class KeptFigures:
    """One file a step.

    Attributes:
        folder: of one version of the code and one set of options: whoever changes either says
            another one. ``None`` keeps nothing.
    """

    folder: Path | None = None

    def measure(self, name: str, step: Callable[[], Numbers]) -> Numbers:
        """What a step measured, now or before.

        Args:
            name: of the step, a path below the folder.
        """
        if self.folder is None:
            return step()
        file = self.folder / f"{name}.json"
        if not file.exists():
            self._take(name, file, step)
        return cast(Numbers, json.loads(file.read_text(encoding="utf-8")))

    def _take(self, name: str, file: Path, step: Callable[[], Numbers]) -> None:
        start = process_time()
        figures = step()
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(figures), encoding="utf-8")
        part.replace(file)
        Console(stderr=True).print(f"{name}: {process_time() - start:.1f} processor seconds")
