"""The generated pages say what the code says."""

from itertools import pairwise
from pathlib import Path

import pytest

from detectors.registry import FEATURE_NAMES
from detectors.rule_book import GATE_RULES
from inference.gate.refusals import GATE_REFUSALS, RULE_REFUSALS
from inference.labels.shipped_tables import shipped_tables
from inference.refusals import PROXY_REFUSALS, REFUSALS
from maskwatch.environment import all_groups, all_settings, known_names
from store.alert_rules.registry import ALERT_RULES
from store.configuration.groups import Group
from tools.alerts_table import runbook_page
from tools.label_pages import labels_page
from tools.markdown import fill
from tools.reference_docs import (
    DOCS,
    features_page,
    main,
    pages,
    stale_pages,
    write_pages,
)
from tools.settings_page import settings_page
from tools.threat_pages import gate_page, refusals_page


def test_no_page_is_stale() -> None:
    assert stale_pages(DOCS) == [], "run `python -m tools.reference_docs`"


def test_every_setting_is_listed_with_a_meaning() -> None:
    page = settings_page()
    assert [name for name in known_names() if f"`{name}`" not in page] == []
    assert [name for name in all_settings() if f"| `{name}` |" not in page] == []
    assert all(setting.field.description for setting in all_settings().values())
    assert "Undefined" not in page


def test_every_group_has_one_section_with_its_words() -> None:
    headings = [line for line in settings_page().splitlines() if line.startswith("## ")]
    assert headings == [f"## `[{name}]`" for name in all_groups()]
    assert all(group.__doc__ and group.__doc__ != Group.__doc__ for group in all_groups().values())


def test_bounds_and_choices_are_told() -> None:
    page = settings_page()
    assert (
        "| `port` | `MASKWATCH_PORT` | `8080` | whole number, at least 0, at most 65535 |" in page
    )
    assert "| `monitor` | `monitor` or `enforce` |" in page
    assert "list of networks such as `10.0.0.0/8`" in page
    assert "| secret text, at least 16 characters, or a path:" in page


def test_every_feature_and_refusal_is_listed() -> None:
    assert all(f"| `{name}` |" in features_page() for name in FEATURE_NAMES)
    known = (*REFUSALS, *GATE_REFUSALS, *PROXY_REFUSALS)
    assert all(refusal.sentence in refusals_page() for refusal in known)


def test_the_gates_page_names_every_limit_and_every_rule_with_its_sentence() -> None:
    page = gate_page()
    assert all(f"`{refusal.code}`" in page for refusal in GATE_REFUSALS)
    assert all(f"`{rule.code}`" in page and rule.sentence in page for rule in GATE_RULES)
    assert all(refusal.sentence in page for refusal in RULE_REFUSALS.values())


def test_every_label_is_listed_with_its_part_group_and_colour() -> None:
    page = labels_page()
    assert all(
        f"| `{label}` |" in page for table in shipped_tables().values() for label in table.names
    )
    assert "| 10 | `Torso-skin` | bare torso | skin | `#d8b5a3` |" in page
    assert "| 9 | `Pants` | lower | trousers | `#195b71` |" in page
    assert page.count("| 0 | ") == page.count("| not drawn |") == len(shipped_tables())


def test_every_alert_rule_leads_to_its_place_in_the_runbook() -> None:
    page = runbook_page(DOCS / "operations" / "on-call.md")
    assert all(
        f"| [`{rule.code}`](#{rule.runbook}) | {rule.meaning} |" in page for rule in ALERT_RULES
    )


def test_a_page_that_lost_its_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before <!-- other: made by hand --> after")
    with pytest.raises(ValueError, match=r"page\.md lacks the markers <!-- alerts: made by"):
        fill(page, "alerts", ["new"])


def test_a_row_has_as_many_cells_as_its_table_has_columns() -> None:
    for text in pages().values():
        widths = [
            line.replace("\\|", "").count("|") if line.startswith("|") else 0
            for line in text.splitlines()
        ]
        pairs = pairwise(widths)
        assert all(above == below for above, below in pairs if above and below)


def test_check_names_the_stale_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pages(tmp_path)
    assert main(["--check", "--folder", str(tmp_path)]) == 0
    (tmp_path / "rules.md").write_text("old")
    assert main(["--check", "--folder", str(tmp_path)]) == 1
    assert str(tmp_path / "rules.md") in capsys.readouterr().err


def test_a_missing_page_is_stale_until_it_is_written(tmp_path: Path) -> None:
    assert set(stale_pages(tmp_path)) == set(pages())
    assert main(["--folder", str(tmp_path)]) == 0
    assert stale_pages(tmp_path) == []
