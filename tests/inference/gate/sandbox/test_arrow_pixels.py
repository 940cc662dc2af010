"""Pixels read out of Pillow's own memory are those that Pillow gives when asked."""

import gc

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.gate.sandbox.arrow_pixels import lend_pixels

# Pillow keeps a picture in one piece up to 16 MB, at four bytes a pixel.
WHOLE = [(1, 1), (8, 8), (3, 7), (160, 8), (1_000, 999), (2_048, 2_048), (4_000_000, 1)]
IN_PIECES = [(2_050, 2_048), (5_000, 3_000)]


def _chance(size: tuple[int, int]) -> Image:
    shape = (size[1], size[0], 3)
    return np.random.default_rng(8).integers(0, 256, shape, dtype=np.uint8)


def _lent(picture: Pillow.Image) -> Image:
    with lend_pixels(picture) as lent:
        assert lent is not None
        assert (lent.format, lent.nbytes) == ("B", 4 * picture.width * picture.height)
        shape = (picture.height, picture.width, 4)
        return np.frombuffer(lent, np.uint8).reshape(shape)[..., :3].copy()


@pytest.mark.parametrize("size", WHOLE, ids=str)
def test_a_picture_in_one_piece_is_lent_as_it_is(size: tuple[int, int]) -> None:
    pixels = _chance(size)
    assert np.array_equal(_lent(Pillow.fromarray(pixels)), pixels)


@pytest.mark.parametrize("size", IN_PIECES, ids=str)
def test_a_picture_in_several_pieces_is_not_lent(size: tuple[int, int]) -> None:
    with lend_pixels(Pillow.new("RGB", size)) as lent:
        assert lent is None


def test_pictures_that_came_out_of_other_work_are_lent_as_well(photo: Pillow.Image) -> None:
    for picture in (
        photo.transpose(Pillow.Transpose.ROTATE_90),
        photo.convert("L").convert("RGB"),
        photo.crop((3, 5, 60, 90)),
        Pillow.merge("RGB", photo.split()),
    ):
        assert np.array_equal(_lent(picture), np.asarray(picture))


def test_a_picture_can_be_lent_again_and_is_as_it_was(photo: Pillow.Image) -> None:
    before = photo.tobytes()
    first = _lent(photo)
    assert np.array_equal(_lent(photo), first)
    assert photo.tobytes() == before


def test_memory_stays_while_it_is_lent_even_if_the_picture_goes() -> None:
    pixels = _chance((500, 400))
    picture = Pillow.fromarray(pixels)
    with lend_pixels(picture) as lent:
        assert lent is not None
        del picture
        gc.collect()
        others = [Pillow.new("RGB", (500, 400), "white") for _ in range(20)]
        found = np.frombuffer(lent, np.uint8).reshape(400, 500, 4)[..., :3].copy()
    assert np.array_equal(found, pixels)
    assert len(others) == 20


def test_an_error_of_the_borrower_comes_through(photo: Pillow.Image) -> None:
    with pytest.raises(IndexError, match="no room"), lend_pixels(photo):
        raise IndexError("no room")
    assert np.array_equal(_lent(photo), np.asarray(photo))
