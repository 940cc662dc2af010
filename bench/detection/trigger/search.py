"""The tile search on one picture, the same each time."""

from zlib import crc32

from numpy.random import default_rng

from detectors.looks.triggers import Suspect
from detectors.parsing import Image
from inference.ensemble.recipe import shrunk
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.segmenters.base import Segmenter


def search_picture(segmenter: Segmenter, image: Image) -> Suspect:
    """The most suspicious tile of a picture; random numbers come from its pixels."""
    recipe, random = TileRecipe(), default_rng(crc32(image.tobytes()))
    search = TileSearch(segmenter, recipe)
    return search.look(shrunk(image, recipe.scale), segmenter.parse(image), random)
