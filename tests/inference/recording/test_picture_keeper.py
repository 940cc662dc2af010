"""Kept pictures: enough to look into a request, too little to recognise anybody."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from random import SystemRandom

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from detectors.findings import Place
from detectors.parsing import Image, LabelMap, Parsing
from detectors.verdict import Verdict
from inference.figures import draw_figure
from inference.gate.faces import FaceBox, FacePrior
from inference.recording.picture_keeper import PictureKeeper, draw_entropy, face_mask, pixelate
from inference.segmenters.reference.labels import LABELS, Label
from store.engine.files.kept_files import FileStore
from store.requests.picture_quota import PictureQuota
from store.requests.picture_store import ENTROPY_MAP, LABEL_MAP, OVERLAY, PICTURE, PictureStore
from store.requests.records import PictureFile
from tests.waiting import wait_for

Keep = Callable[..., tuple[PictureFile, ...]]
FIGURE = draw_figure(11)
NO_FACE = FacePrior(tuple)
FACE = FIGURE.label_map == Label.FACE


def _parsing(label_map: LabelMap) -> Parsing:
    """A nearly sure parsing, at half the picture's size as the reference gives it."""
    share = 0.9 * _one_hot(label_map) + np.float32(0.1 / len(LABELS))
    return Parsing(share, label_map, LABELS)


def _one_hot(label_map: LabelMap) -> npt.NDArray[np.float32]:
    return np.eye(len(LABELS), dtype=np.float32)[label_map[::2, ::2]].transpose(2, 0, 1)


def _with_faces(pattern: npt.NDArray[np.int64]) -> Image:
    """The figure with fine black and white squares instead of its face."""
    image = FIGURE.image.copy()
    image[FACE] = (pattern[FACE] * 255)[:, None]
    return image


def _squares() -> npt.NDArray[np.int64]:
    rows, columns = np.indices(FACE.shape)
    return np.asarray((rows // 2 + columns // 2) % 2)


def test_an_entropy_map_is_kept_where_the_source_says_how_sure_it_was(tmp_path: Path) -> None:
    keeper = PictureKeeper(PictureStore(tmp_path), 0.5, SystemRandom())
    unsure = _parsing(FIGURE.label_map)
    labels_alone = replace(unsure, probabilities=_one_hot(FIGURE.label_map))
    for parsing, is_kept in ((labels_alone, False), (unsure, True)):
        files = keeper.keep(Verdict.FLAG, FIGURE.image, parsing, NO_FACE)
        assert (ENTROPY_MAP in [file.kind for file in files]) is is_kept


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    keeper = PictureKeeper(PictureStore(tmp_path), 0.5, SystemRandom())

    def kept(
        image: Image, label_map: LabelMap = FIGURE.label_map, faces: tuple[FaceBox, ...] = ()
    ) -> tuple[PictureFile, ...]:
        return keeper.keep(Verdict.FLAG, image, _parsing(label_map), FacePrior(lambda: faces))

    return kept


def _read(var_dir: Path, file: PictureFile) -> Image:
    data = FileStore(var_dir / "evidence", "").get(file.sha256)
    assert data is not None
    with Pillow.open(BytesIO(data)) as picture:
        assert f"image/{(picture.format or '').lower()}" == file.media_type
        assert not picture.getexif()
        return np.array(picture if file.kind == LABEL_MAP else picture.convert("RGB"))


def test_all_that_is_kept_is_small(keep: Keep, tmp_path: Path) -> None:
    files = keep(FIGURE.image)
    assert [file.kind for file in files] == [PICTURE, OVERLAY, ENTROPY_MAP, LABEL_MAP]
    assert [file.media_type for file in files] == [*["image/webp"] * 3, "image/png"]
    pictures = [_read(tmp_path, file) for file in files]
    assert {picture.shape[:2] for picture in pictures} == {(512, 341)}


def test_the_label_map_holds_the_labels_themselves(keep: Keep, tmp_path: Path) -> None:
    kept = _read(tmp_path, keep(FIGURE.image)[3])
    assert kept.ndim == 2
    assert set(np.unique(kept)) == set(np.unique(FIGURE.label_map))
    small = keep(FIGURE.image[::4, ::4], FIGURE.label_map[::4, ::4])[3]
    assert np.array_equal(_read(tmp_path, small), FIGURE.label_map[::4, ::4])


@pytest.mark.parametrize(
    ("word", "labels"),
    [
        ("face", {Label.FACE}),
        ("head", {Label.FACE, Label.HAT, Label.GLASSES}),
        ("other", set(Label) - {Label.BACKGROUND}),
    ],
)
def test_heads_or_persons_are_hidden_where_no_label_is_a_face(
    word: str, labels: set[Label]
) -> None:
    translation = tuple(
        {"face": word, "hair": "torso"}.get(label, label if word != "other" else "torso")
        for label in LABELS
    )
    mask = face_mask(replace(_parsing(FIGURE.label_map), translation=translation), ())
    assert mask[np.isin(FIGURE.label_map, list(labels))].all()


@pytest.mark.parametrize("kind", [0, 1])
def test_two_faces_cannot_be_told_apart(keep: Keep, tmp_path: Path, kind: int) -> None:
    squares = _squares()
    first, second = (_with_faces(pattern) for pattern in (squares, 1 - squares))
    assert np.abs(first[FACE].astype(int) - second[FACE]).mean() == 255
    kept = [_read(tmp_path, keep(image)[kind]).astype(int) for image in (first, second)]
    assert np.abs(kept[0] - kept[1]).max() < 40
    assert np.abs(kept[0] - kept[1]).mean() < 1


def test_a_face_that_the_parse_lost_is_hidden_by_the_face_prior(keep: Keep, tmp_path: Path) -> None:
    rows, columns = np.flatnonzero(FACE.any(axis=1)), np.flatnonzero(FACE.any(axis=0))
    box = FaceBox(int(columns[0]), int(rows[0]), int(np.ptp(columns)), int(np.ptp(rows)))
    lost = np.where(FACE, 0, FIGURE.label_map).astype(np.uint8)
    squares = _squares()
    kept = [
        _read(tmp_path, keep(_with_faces(pattern), lost, (box,))[0]).astype(int)
        for pattern in (squares, 1 - squares)
    ]
    assert np.abs(kept[0] - kept[1]).mean() < 1


@pytest.mark.parametrize(
    ("share", "verdict", "is_asked"),
    [(0.0, Verdict.PASS, False), (1.0, Verdict.PASS, True), (0.0, Verdict.FLAG, True)],
)
def test_the_face_prior_is_asked_before_anything_is_kept_and_only_then(
    tmp_path: Path, share: float, verdict: Verdict, is_asked: bool
) -> None:
    asked: list[Verdict] = []

    def find() -> tuple[FaceBox, ...]:
        asked.append(verdict)
        return ()

    keeper = PictureKeeper(PictureStore(tmp_path), share, SystemRandom())
    kept = keeper.keep(verdict, FIGURE.image, _parsing(FIGURE.label_map), FacePrior(find))
    assert bool(kept) == bool(asked) == is_asked


def test_what_is_no_face_stays_visible() -> None:
    mask = face_mask(_parsing(FIGURE.label_map), ())
    hidden = pixelate(FIGURE.image, mask)
    assert mask[FACE].all()
    assert mask.mean() < 2 * FACE.mean()
    assert np.array_equal(hidden[~mask], FIGURE.image[~mask])
    assert not np.array_equal(hidden[FACE], FIGURE.image[FACE])


def test_a_hidden_face_has_few_colours() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 160, 3)).astype(np.uint8)
    face = np.zeros((200, 160), dtype=np.bool_)
    face[40:80, 40:80] = True
    colours = np.unique(pixelate(noise, face)[face].reshape(-1, 3), axis=0)
    # Blocks of 5 pixels: at most nine rows of nine of them.
    assert len(colours) <= 81


def test_a_face_box_beyond_the_border_hides_up_to_it() -> None:
    parsing = _parsing(np.zeros((40, 60), dtype=np.uint8))
    mask = face_mask(parsing, [FaceBox(left=50, top=30, width=20, height=20)])
    assert mask[30:, 50:].all()
    assert mask[27, 47]
    assert not mask[26].any()
    assert face_mask(parsing, [FaceBox(0, 0, 20, 20)])[:20, :20].all()


@pytest.mark.parametrize("verdict", [Verdict.FLAG, Verdict.REFUSE])
def test_what_did_not_pass_is_always_kept(tmp_path: Path, verdict: Verdict) -> None:
    keeper = PictureKeeper(PictureStore(tmp_path), 0, SystemRandom())
    assert len(keeper.keep(verdict, FIGURE.image, _parsing(FIGURE.label_map), NO_FACE)) == 4


def test_places_are_outlined_on_the_overlay_only(tmp_path: Path) -> None:
    height, width = FIGURE.label_map.shape
    place = Place(width // 8, height // 8, width // 2, height // 2)
    keeper = PictureKeeper(PictureStore(tmp_path), 0, SystemRandom())
    parsing = _parsing(FIGURE.label_map)
    bare, boxed = (
        [
            _read(tmp_path, file)
            for file in keeper.keep(Verdict.FLAG, FIGURE.image, parsing, NO_FACE, p)
        ]
        for p in ((), (place,))
    )
    assert np.array_equal(bare[0], boxed[0])
    assert np.array_equal(bare[2], boxed[2])
    scale = boxed[1].shape[0] / height
    row, column = round(place.top * scale), round((place.left + place.right) / 2 * scale)
    ink = boxed[1][row, column].astype(int) - (212, 17, 89)
    assert np.abs(ink).max() < 70
    assert np.abs(bare[1][row, column].astype(int) - (212, 17, 89)).max() > 70


def test_of_what_passed_only_the_sampled_share_is_kept(tmp_path: Path) -> None:
    image, parsing = FIGURE.image[::8, ::8], _parsing(FIGURE.label_map[::8, ::8])
    for share, least, most in ((0, 0, 0), (0.5, 10, 50), (1, 60, 60)):
        keeper = PictureKeeper(PictureStore(tmp_path), share, SystemRandom())
        kept = [bool(keeper.keep(Verdict.PASS, image, parsing, NO_FACE)) for _ in range(60)]
        assert least <= sum(kept) <= most


def test_beyond_the_quota_only_what_did_not_pass_is_kept(tmp_path: Path) -> None:
    image, parsing = FIGURE.image[::8, ::8], _parsing(FIGURE.label_map[::8, ::8])
    store = PictureStore(tmp_path)
    left_out: list[bool] = []
    quota = PictureQuota(store, 1)
    keeper = PictureKeeper(store, 1, SystemRandom(), quota, lambda: left_out.append(True))
    assert not quota.is_reached()  # the folder is empty, or not measured yet
    assert keeper.keep(Verdict.FLAG, image, parsing, NO_FACE)
    full = PictureQuota(store, 1)
    wait_for(full.is_reached)
    keeper = PictureKeeper(store, 1, SystemRandom(), full, lambda: left_out.append(True))
    assert keeper.keep(Verdict.PASS, image, parsing, NO_FACE) == ()
    assert left_out == [True]
    assert len(keeper.keep(Verdict.FLAG, image, parsing, NO_FACE)) == 4


@pytest.mark.parametrize("size", [(8, 8), (8, 16_384), (16_384, 8), (1, 700)])
def test_a_picture_of_any_size_can_be_kept(
    keep: Keep, tmp_path: Path, size: tuple[int, int]
) -> None:
    label_map = np.full(size, Label.COAT, dtype=np.uint8)
    files = keep(np.full((*size, 3), 90, dtype=np.uint8), label_map)
    for file in files:
        assert max(_read(tmp_path, file).shape[:2]) <= 512


def test_entropy_is_dark_where_the_model_is_sure() -> None:
    probabilities = np.full((15, 10, 20), 1 / 15, dtype=np.float32)
    probabilities[:, :, :10] = np.eye(15, dtype=np.float32)[3][:, None, None]
    heat = draw_entropy(Parsing(probabilities, np.zeros((20, 40), dtype=np.uint8), LABELS))
    assert heat.shape == (256, 512, 3)
    assert heat[:, :200].mean() < 20
    assert heat[:, 312:].mean() > 150


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90))
def test_pixelating_keeps_the_size_of_any_picture(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), dtype=np.uint8)
    assert pixelate(image, np.ones((height, width), dtype=np.bool_)).shape == image.shape
