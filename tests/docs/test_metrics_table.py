"""The table of metrics in docs/operations/on-call.md, held against what a service counts."""

import re
from pathlib import Path

from inference.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "on-call.md"


def test_every_metric_is_explained() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Metrics\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| .*?`(maskwatch_\w+)", section, re.MULTILINE))
    counted = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Metrics().registry.collect()
    }
    assert counted - explained == set()
