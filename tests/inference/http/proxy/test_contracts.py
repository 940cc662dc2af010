"""Services of every contract behind the proxy: whole exchanges over sockets of loopback."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.figures import draw_figure
from store.decisions.scopes import Scope
from store.requests.record_store import features_of
from tests.inference.http.conftest import block
from tests.inference.http.proxy.conftest import Attach, Attached
from tests.inference.http.proxy.contract_services import (
    CONTRACTS,
    FACE,
    FACE_OF_HF,
    Contract,
    Decoded,
    build_hf,
    build_kserve,
    build_modelscope,
    call_modelscope,
    draw_labels,
    infer_v2_pixels,
    predict_several,
    send_list,
)
from tests.maskwatch.client.conftest import serving_asgi

Encode = Callable[..., bytes]
Replies = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Several:
    """A way to send several pictures in one request."""

    preset: str
    build: Callable[[Decoded], Any]
    send: Callable[..., Any]
    face: int


@pytest.fixture(params=list(CONTRACTS))
def contract(request: pytest.FixtureRequest) -> Contract:
    return CONTRACTS[request.param]


@pytest.fixture
def decoded() -> Decoded:
    """Pictures as the service decoded them."""
    return []


@pytest.fixture
def upstream(contract: Contract, decoded: Decoded) -> Iterator[str]:
    with serving_asgi(contract.build(decoded)) as url:
        yield url


@pytest.fixture(scope="module")
def on_its_side() -> bytes:
    """A figure in a file that says how to turn it."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Pillow.fromarray(draw_figure(11).image).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def _check_features(attached: Attached, row_id: int, figure: Image) -> None:
    with attached.proxy.service.database.read() as session:
        features = features_of(session, row_id)
    assert features is not None
    assert features["foreground_share"] > 0
    assert (features["width"], features["height"]) == figure.shape[1::-1]


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_the_client_has_the_answer_of_the_service_and_the_picture_a_record_with_features(
    attach: Attach, upstream: str, contract: Contract, figure: Image, encode: Encode, mode: str
) -> None:
    attached = attach(upstream=upstream, preset=contract.preset, mode=mode)
    expected = contract.send(upstream, encode(figure))
    response = contract.send(attached.url, encode(figure))
    assert (expected.status_code, response.status_code) == (200, 200), response.text[:400]
    assert response.content == expected.content
    assert response.headers["content-type"] == expected.headers["content-type"]
    (row,) = attached.rows(1)
    assert row.request_id == response.headers["maskwatch-request-id"]
    assert (row.stage, row.status, row.labels) == ("parsed", 200, ["Hair", "Face"])
    _check_features(attached, row.id, figure)


def test_masks_lie_on_a_picture_that_lies_on_its_side(
    attach: Attach,
    upstream: str,
    contract: Contract,
    on_its_side: bytes,
    decoded: Decoded,
    replies: Replies,
) -> None:
    attached = attach(upstream=upstream, preset=contract.preset, mode="enforce")
    assert contract.send(attached.url, on_its_side).status_code == 200
    ((accepted, reply),) = replies
    (pixels,) = decoded
    assert np.array_equal(
        pixels if contract.turns else np.rot90(pixels, -1), accepted.screening.image
    )
    labels = draw_labels(pixels, contract.face)
    assert np.array_equal(
        reply.parsing.label_map, labels if contract.turns else np.rot90(labels, -1)
    )


def test_hostile_files_and_blocked_pictures_do_not_reach_the_service(
    attach: Attach,
    upstream: str,
    contract: Contract,
    figure: Image,
    encode: Encode,
    decoded: Decoded,
) -> None:
    attached = attach(upstream=upstream, preset=contract.preset, mode="enforce")
    file = encode(figure)
    assert contract.send(attached.url, b"GIF89a" + bytes(40)).status_code == 415
    assert contract.send(attached.url, file[: len(file) // 2]).status_code == 422
    block(attached.proxy.service, sha256(file).hexdigest(), Scope.CONTENT)
    assert contract.send(attached.url, file).status_code == 403
    assert decoded == []
    reasons = [row.reasons for row in attached.rows(3)]
    assert reasons == [["unsupported_type"], ["truncated"], ["blocked"]]


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "several",
    [
        Several("kserve", build_kserve, predict_several, FACE),
        Several("hf", build_hf, send_list, FACE_OF_HF),
    ],
    ids=["kserve-v1", "hf"],
)
def test_each_picture_of_a_list_has_its_own_parse(
    attach: Attach,
    figure: Image,
    encode: Encode,
    replies: Replies,
    several: Several,
    count: int,
    mode: str,
) -> None:
    pictures = [figure, 255 - figure, figure[::-1, : figure.shape[1] // 2]][:count]
    with serving_asgi(several.build([])) as upstream:
        attached = attach(upstream=upstream, preset=several.preset, mode=mode)
        files = [encode(np.ascontiguousarray(picture)) for picture in pictures]
        expected = several.send(upstream, files).content
        assert several.send(attached.url, files).content == expected
        assert [row.stage for row in attached.rows(count)] == ["parsed"] * count
    for accepted, reply in replies:
        labels = draw_labels(accepted.screening.image, several.face)
        assert np.array_equal(reply.parsing.label_map, labels)


def test_pixels_behind_json_are_gated_and_parsed_as_they_are(
    attach: Attach, figure: Image, decoded: Decoded
) -> None:
    with serving_asgi(build_kserve(decoded)) as upstream:
        attached = attach(upstream=upstream, preset="kserve", mode="enforce")
        expected = infer_v2_pixels(upstream, figure)
        response = infer_v2_pixels(attached.url, figure)
        assert response.content == expected.content
        assert all(np.array_equal(pixels, figure) for pixels in decoded)
        (row,) = attached.rows(1)
        assert (row.stage, row.labels) == ("parsed", ["Hair", "Face"])


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_an_answer_of_tens_of_megabytes_passes_whole_and_is_read(
    attach: Attach, encode: Encode, decoded: Decoded, mode: str
) -> None:
    picture = np.full((1000, 1000, 3), 200, np.uint8)
    picture[600:, 300:] = 20
    with serving_asgi(build_modelscope(decoded, copies=4)) as upstream:
        attached = attach(upstream=upstream, preset="modelscope", mode=mode)
        expected = call_modelscope(upstream, encode(picture)).content
        assert 26_000_000 < len(expected) < 60_000_000
        assert call_modelscope(attached.url, encode(picture)).content == expected
        (row,) = attached.rows(1)
        assert (row.stage, row.labels) == ("parsed", ["Hair", "Face"])
