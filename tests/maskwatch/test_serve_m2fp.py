"""``maskwatch serve --segmenter m2fp --model DIR``, from start to answer, with a signed model."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from PIL import Image as Pillow

from detectors.label_lists import LABEL_LISTS, label_words
from inference.figures import draw_figure
from inference.segmenters.model_settings import SigningSettings
from maskwatch.commands.model.model_files import sign_model
from tests.maskwatch.conftest import Run

WEIGHTS = "pytorch_model.pt"


@dataclass(frozen=True)
class SignedModel:
    """A model folder, to copy, and the key that it is checked with."""

    folder: Path
    public_key: Path


@pytest.fixture(scope="module")
def signed_model(m2fp_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> SignedModel:
    tmp_path = tmp_path_factory.mktemp("signed")
    model = shutil.copytree(m2fp_folder, tmp_path / "model")
    private, public = tmp_path / "model.key", tmp_path / "model.pub"
    key = ec.generate_private_key(ec.SECP256R1())
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    sign_model(model, private, SigningSettings(var_dir=tmp_path / "var"))
    return SignedModel(model, public)


@pytest.fixture
def model(signed_model: SignedModel, tmp_path: Path) -> Path:
    return shutil.copytree(signed_model.folder, tmp_path / "model")


@pytest.fixture
def environment(signed_model: SignedModel, tmp_path: Path) -> dict[str, str]:
    """Of a service that loads only what our key signed."""
    return {
        **os.environ,
        "MASKWATCH_VAR_DIR": str(tmp_path / "var"),
        "MASKWATCH_PORT": "0",
        "MASKWATCH_MODEL_SHORT_SIDE": "96",
        "MASKWATCH_MODEL_KEYS": str(signed_model.public_key),
    }


@pytest.fixture(params=["float32", "bfloat16"])
def service(
    request: pytest.FixtureRequest, environment: dict[str, str], model: Path
) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "maskwatch", "serve"]
    with subprocess.Popen(
        [*command, "--segmenter", "m2fp", "--model", str(model)],
        env=environment | {"MASKWATCH_MODEL_PRECISION": request.param},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield next(line for line in process.stdout if line.startswith("Service: ")).split()[1]
        process.terminate()


def _parsed(url: str, accept: str) -> httpx2.Response:
    file = BytesIO()
    Pillow.fromarray(draw_figure(3, (96, 144)).image).save(file, "PNG")
    answer = httpx2.post(
        url,
        files={"file": ("street.png", file.getvalue())},
        headers={"Accept": accept},
    )
    assert answer.status_code == 200, answer.text
    return answer


def test_pictures_are_parsed_end_to_end(service: str) -> None:
    said = _parsed(service, "application/json").json()
    known = {label_words(label).replace(" ", "_") for label in LABEL_LISTS["CIHP"]}
    assert said["labels"]
    assert {mask["label"] for mask in said["labels"]} <= known
    assert said["labels"][0]["size"] == [144, 96]
    assert [each["person"] for each in said["persons"]] == sorted(
        {each["person"] for each in said["persons"]}
    )
    composite = Pillow.open(BytesIO(_parsed(service, "image/png").content))
    assert composite.size[0] > 96


def test_a_flipped_byte_is_refused_at_the_start(
    maskwatch: Run, signed_model: SignedModel, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_MODEL_KEYS", str(signed_model.public_key))
    data = bytearray((model / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (model / WEIGHTS).write_bytes(data)
    said = maskwatch("serve", "--segmenter", "m2fp", "--model", str(model))
    assert said.code == 1
    assert WEIGHTS in said.err
    assert "Traceback" not in said.err


def test_an_unknown_segmenter_is_refused(maskwatch: Run) -> None:
    said = maskwatch("serve", "--segmenter", "m3fp")
    assert said.code == 1
    assert "MASKWATCH_SEGMENTER" in said.err
