"""A crafted picture is called so in front of a service: the Flask page of the examples.

The baseline is learnt from what the proxy itself measures on drawn people.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from detectors.baseline.baseline_fit import learn
from detectors.baseline.baseline_text import to_json
from detectors.parsing import Image
from inference.figures import draw_figure
from inference.segmenters.reference.training.attacks import pgd
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.presets.preset_files import load_preset
from tests.flask_page import run_flask_page
from tests.inference.baseline_makers import make_baseline
from tests.inference.http.proxy.conftest import Attach, Attached

_PRESET = "form"
# Few, and each counts four times, for every look is a request: it is not the fit that is tested.
_PICTURES = 10
# Not smaller than what the page's network sees.
_SIZE = (256, 384)
# The looks are drawn with a fixed secret, so that the outcome is the same every time.
_SETTINGS = {
    "preset": _PRESET,
    "fingerprint_salt": "a secret of this test",
    "rate_per_second": 0,
    "upstream_look_share": 1,
    "upstream_look_budget": 0.99,
    "upstream_look_seconds": 120,
    "ensemble_members": 2,
    "ensemble_patches": False,
}


@pytest.fixture
def page_url() -> Iterator[str]:
    with run_flask_page() as url:
        yield url


@pytest.fixture
def start(attach: Attach, page_url: str, tmp_path: Path) -> Callable[[Any], Attached]:
    """Attaches a proxy to the page, with a baseline that a function makes for its source."""
    preset = load_preset(_PRESET)
    digest = digest_source(preset.digest, preset.labels, page_url)

    def attach_with(make: Callable[[str], Any]) -> Attached:
        file = tmp_path / "baseline.json"
        file.write_text(to_json(make(digest)))
        return attach(upstream=page_url, baseline=file, **_SETTINGS)

    return attach_with


def _send(attached: Attached, image: Image, count: int) -> None:
    """Send a picture, and wait for its looks: no other one is looked at meanwhile."""
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "PNG", compress_level=3)
    assert attached.send(buffer.getvalue(), path="/predict").status_code == 200
    attached.rows(count)
    attached.wait_until_idle()


def test_an_attack_on_the_page_behind_the_proxy_is_called_crafted(
    start: Callable[[Any], Attached],
) -> None:
    # Everything is odd to begin with, so that every look is taken.
    learning = start(lambda digest: make_baseline(digest, look_again=-1e9))
    for seed in range(_PICTURES):
        _send(learning, draw_figure(seed, _SIZE).image, seed + 1)
    measured: Any = learning.features(_PICTURES)
    assert all(each["ensemble_passes"] == 8 for each in measured)
    attached = start(lambda digest: learn(digest, 4 * measured, 4 * measured))

    honest, figure = (draw_figure(seed, _SIZE).image for seed in (900, 901))
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    _send(attached, honest, _PICTURES + 1)
    _send(attached, pgd(segmenter, figure, epsilon=8, steps=8, seed=1), _PICTURES + 2)
    clean, crafted = attached.rows(_PICTURES + 2)[-2:]
    assert "adversarial_picture" not in clean.reasons
    assert "adversarial_picture" in crafted.reasons
    assert clean.segmenter == crafted.segmenter
