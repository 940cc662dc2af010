"""The order that labels taught, in a real browser: from the label to its place on the page."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from jobs.context import JobContext
from jobs.outliers import train_reranker
from jobs.settings import JobSettings
from tests.dashboard.browser.conftest import PATIENCE_MS, run_day
from tests.dashboard.made_up_day import Sample
from tests.labelled_traffic import Labelled

expect.set_options(timeout=PATIENCE_MS)


def test_outliers_stand_in_the_learnt_order_with_its_figures(
    filled_folder: tuple[Path, Sample], tmp_path: Path, open_tab: Callable[[], Page]
) -> None:
    with run_day(filled_folder, tmp_path / "var") as running:
        now = running.parts.clock()
        labelled = Labelled(running.parts.database, tmp_path / "var", now)
        labelled.teach(26, 26)
        [attack] = labelled.outliers(1, attacks=True, client="ip:203.0.113.9", minutes_ago=2)
        settings = JobSettings(var_dir=tmp_path / "var")
        train_reranker.run(JobContext(labelled.database, settings, now))
        page = open_tab()
        page.goto(f"{running.new_link()}&next=/outliers")
        expect(page.get_by_role("heading", name="Outliers", level=1)).to_be_visible()
        expect(page.get_by_text("Learnt from labels (r1)")).to_be_visible()
        expect(page.get_by_text("26 confirmed, 26 dismissed")).to_be_visible()
        # Outliers that an outlier model without a known basis scored stand before.
        expect(page.get_by_text("Not judged: no outlier model")).to_be_visible()
        row = page.get_by_role("row").filter(has_text="ip:203.0.113.9")
        expect(row).to_contain_text("For an attack: ")
        row.get_by_role("link").first.click()
        expect(page.get_by_role("heading", name="Request", level=1)).to_be_visible()
        expect(page.get_by_text(attack)).to_be_visible()
