"""The table of tables in docs/architecture.md, held against the tables."""

import re
from pathlib import Path

from store.tables.all_tables import METADATA

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_every_table_is_described_and_no_other() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Data model\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(METADATA.tables)
