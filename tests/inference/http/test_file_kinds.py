"""Each kind of file of docs/clients.md is sent to a real service, and goes through the gate."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from PIL import Image as Pillow
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.gate.screen import DEFAULT_TYPES, Gate, Screened
from inference.metrics import Metrics
from inference.settings import ServiceSettings
from inference.wiring import build_gate
from tools.file_kinds import FILE_KINDS, FileKind

SWITCHES = tuple(kind.switch for kind in FILE_KINDS if kind.switch)


@pytest.fixture(scope="module")
def open_gate() -> Iterator[Gate]:
    """A gate that takes all that can be switched on."""
    settings = ServiceSettings(picture_types=(*DEFAULT_TYPES, *SWITCHES))
    with closing(build_gate(settings, Metrics())) as gate:
        yield gate


@pytest.mark.parametrize("kind", FILE_KINDS, ids=lambda each: each.name)
def test_a_service_with_default_settings_answers_what_the_page_says(
    client: TestClient, figure: Image, kind: FileKind
) -> None:
    data = kind.write(Pillow.fromarray(figure))
    answer = client.post("/v1/parse", files={"file": ("blob", data)})
    if kind.refusal is None:
        assert answer.status_code == 200
    else:
        problem = answer.json()
        assert problem["type"] == f"urn:maskwatch:problem:{kind.refusal.code}"
        assert (problem["status"], problem["detail"]) == (
            kind.refusal.status,
            kind.refusal.sentence,
        )


@pytest.mark.parametrize("kind", FILE_KINDS, ids=lambda each: each.name)
def test_what_can_be_switched_on_is_decoded_and_nothing_else_is_a_sign(
    open_gate: Gate, figure: Image, kind: FileKind
) -> None:
    outcome = open_gate.screen(kind.write(Pillow.fromarray(figure)))
    if kind.refusal is not None and kind.switch is None:
        assert outcome == kind.refusal
        return
    assert isinstance(outcome, Screened)
    assert outcome.image.shape == figure.shape
    assert tuple(finding.rule for finding in outcome.findings) == kind.signs
