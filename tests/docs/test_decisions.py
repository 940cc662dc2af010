"""The list of decisions, held against the folder."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"


def test_every_decision_is_listed_once() -> None:
    listed = re.findall(r"\((\d{4}-.*?\.md)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in FOLDER.glob("0*.md"))
