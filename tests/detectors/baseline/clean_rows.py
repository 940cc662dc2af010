"""What was measured on clean pictures, drawn by a seeded generator."""

from math import exp

from numpy.random import Generator, default_rng

Row = dict[str, float]


def make_row(random: Generator) -> Row:
    """A clean picture: an unsure parse moves more, and moves more as a whole too."""
    entropy, noise = random.uniform(0.05, 0.6), random.normal(0, 0.3, 5)
    share = random.uniform(0.2, 0.5)
    return {
        "colour_detail_tile": 4 * exp(noise[0]),
        "glance_tile_divergence": 0.2 * entropy * exp(noise[1]),
        "glance_withdrawn_share": 0.05 * entropy * exp(noise[2]),
        "glance_returned_person_share": 0.05 * entropy * exp(noise[4]),
        "js_consensus": 0.1 * entropy * exp(noise[3]),
        "foreground_share": share,
        "entropy_mean": share * entropy,
        "glance_entropy": entropy,
        "jpeg_blockiness": random.uniform(0.9, 1.3),
    }


def make_rows(seed: int, count: int) -> list[Row]:
    """So many clean pictures, the same for the same seed."""
    random = default_rng(seed)
    return [make_row(random) for _ in range(count)]
