"""The whole gate, on one pool of real workers."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.findings import Severity
from detectors.parsing import Image
from detectors.picture.input_rules import InputLimits
from detectors.registry import FEATURES, Group
from inference.figures import draw_figure
from inference.gate.decoder.limits import PictureLimits
from inference.gate.faces import FaceFinder
from inference.gate.media import MediaType
from inference.gate.policy import Action, GatePolicy
from inference.gate.refusals import EMPTY_UPLOAD, RULE_REFUSALS, TRUNCATED, UNSUPPORTED_TYPE
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import WorkerLimits
from inference.gate.sandbox.wire import Reply
from inference.gate.screen import Gate, GateLimits, InFile, Screened
from inference.refusals import TOO_MANY_BYTES, Refusal
from inference.upload import Upload
from tests.waiting import PATIENCE_SECONDS

MAX_BYTES = 2_000_000
MakeGate = Callable[..., Gate]


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    limits = WorkerLimits(
        MAX_BYTES, 300_000_000, PATIENCE_SECONDS, 1_000, PictureLimits(max_pixels=4_000_000)
    )
    opened = DecoderPool(1, limits)
    yield opened
    opened.close()


@pytest.fixture
def make_gate(pool: DecoderPool) -> MakeGate:
    def build(types: tuple[MediaType, ...] = (), **actions: Action) -> Gate:
        limits = GateLimits(MAX_BYTES, policy=GatePolicy(actions))
        if types:
            limits = GateLimits(MAX_BYTES, types)
        return Gate(limits, pool, FaceFinder())

    return build


@pytest.fixture(scope="module")
def figure_file(saved: Callable[..., bytes]) -> bytes:
    return saved(Pillow.fromarray(draw_figure(11).image), "JPEG", quality=90)


def _screened(found: Screened | Refusal) -> Screened:
    assert isinstance(found, Screened), found
    return found


def _codes(found: Screened | Refusal) -> list[str]:
    return [finding.rule.code for finding in _screened(found).findings]


def test_measures_the_whole_input_group(make_gate: MakeGate, figure_file: bytes) -> None:
    screened = _screened(make_gate().screen(figure_file))
    assert set(screened.features) | {"faces_found", "faces_hidden"} == {
        f.name for f in FEATURES if f.group is Group.INPUT
    }
    assert screened.features["width"] == screened.image.shape[1]
    assert screened.features["upload_bytes"] == len(figure_file)
    assert (screened.media_type, screened.findings) == (MediaType.JPEG, ())


def test_the_pixels_are_those_of_the_file(
    make_gate: MakeGate, png: bytes, photo: Pillow.Image
) -> None:
    screened = _screened(make_gate().screen(png))
    assert np.array_equal(screened.image, np.asarray(photo))
    assert set(screened.decoded.costs()) <= {f.name for f in FEATURES if f.group is Group.COST}
    assert all(value > 0 for value in screened.decoded.costs().values())


def test_what_is_no_picture_is_refused_before_any_worker_sees_it(
    make_gate: MakeGate, png: bytes
) -> None:
    gate = make_gate()
    assert gate.screen(b"") is EMPTY_UPLOAD
    assert gate.screen(b"<svg/>") is UNSUPPORTED_TYPE
    assert gate.screen(b"GIF89a" + bytes(100)) is UNSUPPORTED_TYPE
    assert gate.screen(b"\xff\xd8\xff" + bytes(MAX_BYTES)) is TOO_MANY_BYTES
    assert make_gate(types=(MediaType.JPEG,)).screen(png) is UNSUPPORTED_TYPE


def test_an_upload_of_the_largest_size_is_taken(make_gate: MakeGate, png: bytes) -> None:
    _screened(make_gate().screen(png + bytes(MAX_BYTES - len(png))))


def test_a_type_that_is_asked_for_is_taken(
    make_gate: MakeGate, saved: Callable[..., bytes], photo: Pillow.Image
) -> None:
    gate = make_gate(types=(MediaType.GIF,))
    assert _screened(gate.screen(saved(photo, "GIF"))).media_type is MediaType.GIF


def test_a_refusal_of_the_worker_is_one_of_the_table(make_gate: MakeGate, png: bytes) -> None:
    assert make_gate().screen(png[:500]) is TRUNCATED


@pytest.mark.parametrize("action", Action)
def test_the_policy_decides_what_a_sign_does(
    make_gate: MakeGate, figure_file: bytes, action: Action
) -> None:
    found = make_gate(trailing_data=action).screen(figure_file + b"more" * 2_000)
    if action is Action.REFUSE:
        assert found is RULE_REFUSALS["trailing_data"]
    elif action is Action.OFF:
        assert _codes(found) == []
    else:
        [finding] = _screened(found).findings
        weight = Severity.ODD if action is Action.RECORD else Severity.SUSPECT
        assert (finding.rule.code, finding.rule.severity) == ("trailing_data", weight)
        assert finding.evidence == {"bytes": 8_000.0}


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (Pillow.new("RGB", (200, 200), "grey"), "blank_picture"),
        (Pillow.new("1", (8, 8)), "blank_picture"),
        (Pillow.effect_noise((256, 256), 200), "noise_picture"),
        (Pillow.linear_gradient("L").resize((4, 4)).resize((512, 512), 0), "flat_picture"),
    ],
)
def test_pictures_that_are_no_photos_are_told(
    make_gate: MakeGate, saved: Callable[..., bytes], picture: Pillow.Image, code: str
) -> None:
    data = saved(picture, "PNG")
    assert _codes(make_gate().screen(data)) == [code]
    assert make_gate(**{code: Action.REFUSE}).screen(data) is RULE_REFUSALS[code]


@pytest.mark.parametrize(
    ("declared", "name", "codes"),
    [
        (None, None, []),
        ("image/jpeg", "a.jpg", []),
        ("application/octet-stream", "blob", []),
        ("image/png", "a.jpg", ["declared_type_differs"]),
        ("text/html", None, ["declared_type_differs"]),
        ("image/jpeg", "a.png", ["file_name_differs"]),
        ("image/png", "a.png", ["declared_type_differs", "file_name_differs"]),
    ],
)
def test_what_a_client_says_is_held_against_the_content(
    make_gate: MakeGate,
    figure_file: bytes,
    declared: str | None,
    name: str | None,
    codes: list[str],
) -> None:
    found = make_gate().compare(Upload(figure_file, declared, name))
    assert not isinstance(found, Refusal)
    assert [finding.rule.code for finding in found] == codes


def test_what_a_client_says_can_be_a_reason_to_refuse(
    make_gate: MakeGate, figure_file: bytes
) -> None:
    gate = make_gate(file_name_differs=Action.REFUSE)
    assert gate.compare(Upload(figure_file, None, "a.png")) is RULE_REFUSALS["file_name_differs"]
    assert gate.compare(Upload(b"no picture", "image/png", "a.png")) == ()


class _InventivePool(DecoderPool):
    """Of a worker that was taken over: its signs are of its own making."""

    def __init__(self) -> None:
        """Start nothing."""

    def decode(self, data: bytes, media_type: MediaType) -> tuple[Reply, Image]:
        signs: dict[str, dict[str, float]] = {"no_person_found": {}, "moon": {}, "polyglot": {}}
        return Reply(width=64, height=64, signs=signs), np.zeros((64, 64, 3), np.uint8)


def test_signs_that_are_no_rules_of_the_gate_are_left_out(png: bytes) -> None:
    gate = Gate(GateLimits(MAX_BYTES, inputs=InputLimits(0, 1, 1)), _InventivePool(), FaceFinder())
    assert _codes(gate.screen(png)) == ["polyglot"]


def test_face_finder_sees_nothing_in_a_blank_picture() -> None:
    assert FaceFinder().find(np.full((300, 300, 3), 128, np.uint8)) == ()


def test_face_finder_sees_nothing_in_the_smallest_pictures() -> None:
    for height, width in ((1, 1), (8, 8), (8, 160), (160, 8)):
        assert FaceFinder().find(np.zeros((height, width, 3), np.uint8)) == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_says_how_a_picture_lies_in_its_file(
    make_gate: MakeGate, saved: Callable[..., bytes], orientation: int
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = saved(Pillow.new("RGB", (40, 24)), "JPEG", exif=exif)
    decoded = _screened(make_gate().screen(data)).decoded
    assert decoded.in_file == InFile(24, 40, orientation)
    assert decoded.image.shape[:2] == ((40, 24) if orientation > 4 else (24, 40))


def test_says_how_large_a_picture_is_in_its_file(saved: Callable[..., bytes]) -> None:
    picture = PictureLimits(max_decoded_pixels=1_000)
    pool = DecoderPool(1, WorkerLimits(MAX_BYTES, 300_000_000, PATIENCE_SECONDS, 1_000, picture))
    try:
        screening = Gate(GateLimits(MAX_BYTES), pool, FaceFinder()).screen(
            saved(Pillow.new("RGB", (63, 41)), "JPEG")
        )
    finally:
        pool.close()
    decoded = _screened(screening).decoded
    assert decoded.in_file == InFile(41, 63)
    assert decoded.image.shape == (21, 32, 3)
