"""``python -m bench video``: frames of real films, sent one after the other, are no search."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from shutil import which
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from rich.console import Console

from bench.detection.pictures.cache import write
from bench.detection.probing.streams import through_jpeg
from bench.detection.probing.watched import Fingerprints, ProbedService, open_service
from bench.report import rows_table
from detectors.errors import MaskwatchError
from detectors.parsing import Image

_RATES = (28, 36, 44, 51)
# The second one is what video calls use: it spares time, and lets blocks stand.
_PRESETS = (("medium", ()), ("ultrafast", ("-tune", "zerolatency")))
_STEPS = (1, 5)
_SALT = b"a bench has no secrets"


class NoFilms(MaskwatchError):
    """There are no films, or nothing that could encode them."""


@dataclass(frozen=True)
class Film:
    """How the frames of one film in one encoding fare.

    Attributes:
        encoding: ``png`` and ``jpeg`` are single files of decoded frames, ``x264`` films with a
            constant rate factor.
        every: which frames are sent.
        flagged: frames that are called a step of a search.
    """

    clip: str
    encoding: str
    every: int
    frames: int
    flagged: int


def measure_video(clips: Path, out: Path, most: int) -> None:
    """Measure and publish.

    Args:
        clips: folder with films.
        most: frames of each film.

    Raises:
        NoFilms: there is no film in the folder, or the program ffmpeg is missing.
    """
    films = sorted(clips.glob("*.mp4"))
    if not films or which("ffmpeg") is None:
        raise NoFilms(f"{clips} holds no .mp4 file, or the program ffmpeg is not installed.")
    cv2.setNumThreads(1)
    with open_service(Fingerprints(_SALT), clients=1) as service:
        rows = [row for film in films for row in _measure_film(service, film, most)]
    figures: dict[str, Any] = {
        "video": [asdict(row) for row in rows],
        "video_fpr": sum(row.flagged for row in rows) / sum(row.frames for row in rows),
        "video_worst": max(row.flagged / row.frames for row in rows),
    }
    Console().print(rows_table("Films", figures["video"], list(figures["video"][0])))
    Console().print({name: figures[name] for name in ("video_fpr", "video_worst")})
    write(out, (json.dumps(figures, indent=1) + "\n").encode())


def _measure_film(service: ProbedService, film: Path, most: int) -> Iterator[Film]:
    for encoding, frames in _encodings(film, most):
        for step in _STEPS:
            pictures = frames[::step]
            flags = [service.ask(frame, np.zeros(frame.shape[:2], np.uint8)) for frame in pictures]
            # The next one meets none of these.
            service.wait()
            yield Film(film.stem, encoding, step, len(pictures), sum(flags))


def _encodings(film: Path, most: int) -> Iterator[tuple[str, Sequence[Image]]]:
    frames = _read_frames(film, most)
    yield "png", frames
    yield "jpeg 75", [through_jpeg(frame, 75) for frame in frames]
    with TemporaryDirectory() as folder:
        for preset, options in _PRESETS:
            for rate in _RATES:
                target = Path(folder) / f"{preset}{rate}.mp4"
                _encode(film, target, ("-preset", preset, *options, "-crf", str(rate)), most)
                yield f"x264 {preset} {rate}", _read_frames(target, most)


def _encode(film: Path, target: Path, options: Sequence[str], most: int) -> None:
    source = ("ffmpeg", "-loglevel", "error", "-i", str(film), "-an", "-frames:v", str(most))
    command = [*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", *options, str(target)]
    run(command, check=True)  # noqa: S603 - a program of the system, and paths


def _read_frames(film: Path, most: int) -> list[Image]:
    return list(islice(_decode(film), most))


def _decode(film: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(film))
    try:
        while True:
            is_frame, frame = capture.read()
            if not is_frame:
                return
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    finally:
        capture.release()
