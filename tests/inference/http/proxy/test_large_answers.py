"""Answers that wait on disk: nothing of them is left when their records are written."""

import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Response

from detectors.parsing import Image
from tests.inference.http.conftest import Encode
from tests.inference.http.proxy.conftest import Attach, Page
from tests.waiting import wait_for

LARGE_BYTES = 5_000_000


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Without the collector of cycles: in a large process it runs seldom."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _count_nameless(folder: Path) -> int:
    """How many files without a name are open in a folder."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        # Other threads close files meanwhile.
        with suppress(FileNotFoundError):
            target = link.readlink()
            count += target.parent == folder.resolve() and target.name.endswith(" (deleted)")
    return count


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_an_answer_leaves_no_file_open(
    attach: Attach, page: Page, figure: Image, encode: Encode, mode: str
) -> None:
    page.answer = lambda _: Response(bytes(LARGE_BYTES), mimetype="image/png")
    attached = attach(mode=mode, unread_answers="pass")
    assert len(attached.send(encode(figure)).content) == LARGE_BYTES
    attached.rows(1)
    attached.wait_until_idle()
    folder = attached.proxy.settings.store.var_dir
    wait_for(lambda: _count_nameless(folder) == 0)
