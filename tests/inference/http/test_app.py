"""The HTTP interface with the real model, a real database and real files."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image as Pillow
from pycocotools import mask as coco
from starlette.testclient import TestClient

from detectors.parsing import Image, Parsing
from detectors.verdict import Mode
from inference.http.app import build_app
from inference.segmenters.base import Segmenter
from inference.segmenters.current import present
from inference.segmenters.reference.labels import LABELS
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.engine.files.folder_mark import mark_folder
from store.requests.records import Stage
from tests.inference.http.conftest import post, stored_row

Encode = Callable[..., bytes]


# pycocotools' decoder still uses numpy's old array protocol; the service only encodes.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_masks_come_as_coco_rle_of_the_pictures_size(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    response = post(client, encode(figure))
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"request_id", "verdict", "labels"}
    for mask in body["labels"]:
        assert mask["label"] in LABELS
        decoded = coco.decode({"size": mask["size"], "counts": mask["counts"].encode()})
        assert decoded.shape == figure.shape[:2]
        assert decoded.sum() == mask["area"] > 0
    row = stored_row(service, body["request_id"])
    assert (row.stage, row.status, row.verdict) == (Stage.PARSED, 200, body["verdict"])


def test_composite_is_a_picture_for_people(
    client: TestClient, figure: Image, encode: Encode
) -> None:
    response = post(client, encode(figure), "image/png")
    with Pillow.open(BytesIO(response.content)) as picture:
        assert picture.mode == "RGB"
        assert picture.height == figure.shape[0]
        assert picture.width > figure.shape[1]


def test_label_picture_holds_label_indices(
    client: TestClient, figure: Image, encode: Encode
) -> None:
    accept = "image/vnd.maskwatch.labels+png"
    response = post(client, encode(figure), accept)
    with Pillow.open(BytesIO(response.content)) as picture:
        values = np.array(picture)
        assert picture.mode == "P"
    assert values.shape == figure.shape[:2]
    assert 0 < values.max() < len(LABELS)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty_upload"),
        (b"hello, I am no picture", 415, "unsupported_type"),
        (b"\xff\xd8\xff\xe0" + bytes(500), 422, "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), 422, "unreadable"),
    ],
)
def test_bad_files_get_a_problem_document_and_a_record(
    client: TestClient, service: Service, data: bytes, status: int, code: str
) -> None:
    response = post(client, data)
    body = response.json()
    assert response.status_code == body["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:maskwatch:problem:{code}"
    assert response.headers["x-request-id"] == body["request_id"]
    UUID(body["request_id"])
    row = stored_row(service, body["request_id"])
    assert (row.stage, row.verdict, row.reasons) == (Stage.GATE, "refuse", [code])


def test_a_wrong_field_name_is_said_and_recorded(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    response = client.post("/v1/parse", files={"photo": ("a.png", encode(figure), "image/png")})
    assert response.status_code == 422
    assert "'file'" in response.json()["detail"]
    assert stored_row(service, response.json()["request_id"]).reasons == ["wrong_field"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"raw bytes", "text/plain"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=y"),
        (b"", "multipart/form-data"),
    ],
)
def test_broken_forms_are_client_errors(client: TestClient, content: bytes, kind: str) -> None:
    response = client.post("/v1/parse", content=content, headers={"Content-Type": kind})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_an_upload_over_the_limit_is_cut_off_even_without_a_declared_length(
    client: TestClient, service: Service
) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            sent += 1
            yield bytes(1_000_000)

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/parse", content=body(), headers=kind)
    assert response.status_code == 413
    assert stored_row(service, response.json()["request_id"]).reasons == ["too_many_bytes"]


def test_nothing_of_the_inside_shows(client: TestClient, tmp_path: Path) -> None:
    for response in (
        post(client, b"nonsense"),
        client.get("/v1/parse"),
        client.get("/nowhere"),
        client.get("/docs"),
        client.get("/openapi.json"),
    ):
        assert response.status_code >= 400
        shown = response.text + str(response.headers)
        assert "Traceback" not in shown
        assert str(tmp_path) not in shown
        assert "uvicorn" not in shown.lower()


def test_a_fault_inside_is_answered_plainly_and_recorded(
    service: Service, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, _image: Image) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(present(service.models.current)), "parse", broken)
    with TestClient(build_app(service), raise_server_exceptions=False) as client:
        response = post(client, encode(figure))
    assert response.status_code == 500
    assert "secret" not in response.text
    assert stored_row(service, response.json()["request_id"]).stage == Stage.FAILED


def test_enforce_refuses_what_monitor_only_flags(
    settings: ServiceSettings, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parse has lost all skin, and the picture shows a face."""
    statuses = {}
    for mode in Mode:
        service = build_service(settings.model_copy(update={"mode": mode}))
        segmenter = present(service.models.current)
        monkeypatch.setattr(
            segmenter, "parse", partial(_lose_skin, type(segmenter).parse, segmenter)
        )
        with TestClient(build_app(service)) as client:
            response = post(client, encode(figure))
        row = stored_row(service, response.json()["request_id"])
        statuses[mode.value] = (response.status_code, row.verdict)
        service.close()
    assert statuses == {"monitor": (200, "flag"), "enforce": (422, "refuse")}


def _lose_skin(parse: Callable[..., Parsing], segmenter: Segmenter, image: Image) -> Parsing:
    parsing = parse(segmenter, image)
    skin = [LABELS.index(name) for name in ("face", "arm", "leg")]
    clothes = LABELS.index("upper_clothes")
    probabilities, label_map = parsing.probabilities.copy(), parsing.label_map.copy()
    probabilities[clothes] += probabilities[skin].sum(axis=0)
    probabilities[skin] = 0
    label_map[np.isin(label_map, skin)] = clothes
    return Parsing(probabilities, label_map, parsing.labels)


def test_unacceptable_answers_are_named(client: TestClient, figure: Image, encode: Encode) -> None:
    response = post(client, encode(figure), "text/html")
    assert response.status_code == 406
    assert "image/png" in response.json()["detail"]


def test_a_request_whose_record_is_kept_nowhere_is_told_to_come_back(
    client: TestClient, service: Service, tmp_path: Path, figure: Image, encode: Encode
) -> None:
    service.database.close()
    (tmp_path / "maskwatch.db").write_bytes(b"damaged" * 600)
    (tmp_path / "spool").write_text("A file where the folder should be.")
    response = post(client, encode(figure))
    assert response.status_code == 503
    assert response.json()["type"] == "urn:maskwatch:problem:not_recorded"
    assert int(response.headers["retry-after"]) > 0
    assert "labels" not in response.json()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable"})


def test_health_readiness_and_metrics(
    client: TestClient, settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    post(client, encode(figure))
    post(client, b"no")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    text = client.get("/metrics").text
    assert 'maskwatch_reasons_total{reason="unsupported_type"} 1.0' in text
    assert "maskwatch_request_seconds_count 2.0" in text
    mark = mark_folder(settings.store.var_dir)
    assert f'maskwatch_var_folder{{mark="{mark}"}} 1.0' in text


def test_a_sender_whom_the_proxy_does_not_name_is_recorded_as_unknown(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    behind_proxy = settings.model_copy(update={"trusted_proxies": (ip_network("192.0.2.1"),)})
    names = {"203.0.113.7:50112": "ip:203.0.113.7", "_hidden": "unknown@192.0.2.1"}
    with (
        closing(build_service(behind_proxy)) as service,
        TestClient(build_app(service), client=("192.0.2.1", 5)) as client,
    ):
        for entry, name in names.items():
            answer = post(client, encode(figure), headers={"X-Forwarded-For": entry})
            assert stored_row(service, answer.json()["request_id"]).client == name


def test_nobody_is_sent_on_to_a_host_that_the_client_names(client: TestClient) -> None:
    for path in ("/v1/parse/", "/healthz/"):
        answer = client.post(path, headers={"Host": "example.org"}, follow_redirects=False)
        assert answer.status_code == 404
        assert "location" not in answer.headers
