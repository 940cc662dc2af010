"""Exchanges as they would have been watched."""

from pathlib import Path

import pytest

from inference.upstream.learning.door import PictureSample
from inference.upstream.learning.learn import Lesson, find_pictures, learn_preset
from inference.upstream.learning.preset_text import write_preset
from inference.upstream.learning.sample import Sample
from inference.upstream.presets.preset import Preset
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.form_parts import FormPart, write_parts
from inference.upstream.requests.sent_request import RequestLimits

LIMITS = RequestLimits(max_picture_bytes=100_000, max_text_bytes=2_000)


def make_sample(
    body: bytes,
    content_type: str,
    answer: bytes = b"ok",
    answer_type: str = "text/plain",
    *,
    path: str = "/parse",
    status: int = 200,
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> Sample:
    """An exchange."""
    headers = [(b"content-type", content_type.encode()), *more]
    return Sample("POST", path.encode(), headers, body, status, answer_type, answer)


def upload(
    picture: bytes, answer: bytes = b"ok", answer_type: str = "text/plain", **more: int | str
) -> Sample:
    """An upload by a form."""
    form = write_parts([FormPart("image", "a.png", "image/png", picture)])
    return make_sample(form.data, form.content_type, answer, answer_type, **more)  # type: ignore[arg-type]


def find(*samples: Sample) -> list[PictureSample]:
    """Those with pictures."""
    sought = [find_pictures(sample, LIMITS) for sample in samples]
    return [each for each in sought if each is not None]


def learn(*samples: Sample) -> Lesson:
    """What they show."""
    return learn_preset(find(*samples))


@pytest.fixture
def reload(tmp_path: Path) -> "Reload":
    """Writes what was learned as a file, and loads that."""
    return Reload(tmp_path / "learned.toml")


class Reload:
    """The way over a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, lesson: Lesson) -> Preset:
        """The preset of the file."""
        assert lesson.preset is not None, lesson.sentences
        self._file.write_text(write_preset(lesson.preset, lesson.sentences), encoding="utf-8")
        preset = load_preset(str(self._file))
        assert preset == lesson.preset
        return preset
