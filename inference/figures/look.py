"""What a drawn person wears and looks like."""

from dataclasses import dataclass

import numpy as np

from inference.figures.canvas import Colour, Fabric

_SKINS: tuple[Colour, ...] = (
    (244, 208, 177),
    (231, 180, 143),
    (198, 134, 96),
    (141, 85, 54),
    (92, 56, 37),
)
_HAIRS: tuple[Colour, ...] = (
    (38, 28, 24),
    (74, 46, 30),
    (124, 78, 42),
    (201, 160, 96),
    (150, 62, 32),
    (150, 150, 152),
)
_CLOTHES: tuple[Colour, ...] = (
    (36, 41, 58),
    (52, 84, 130),
    (168, 44, 52),
    (226, 222, 212),
    (78, 104, 74),
    (206, 160, 62),
    (120, 74, 110),
    (94, 96, 100),
    (222, 142, 150),
    (46, 124, 126),
    (140, 104, 78),
    (240, 238, 232),
)
_WEAVES = ("plain", "plain", "plain", "stripes", "checks", "knit")


@dataclass(frozen=True)
class Look:
    """What a person wears and looks like."""

    skin: Fabric
    hair: Fabric
    top: Fabric
    bottom: Fabric
    shoes: Fabric
    coat: Fabric | None
    outfit: str
    long_hair: bool
    long_sleeves: bool
    hat: Fabric | None
    glasses: bool
    socks: Fabric | None
    bag: Fabric | None


def random_look(random: np.random.Generator) -> Look:
    """Choose clothes, hair and accessories."""
    skin, hair = _pick(random, _SKINS), _pick(random, _HAIRS)
    outfit = str(random.choice(["trousers", "trousers", "skirt", "dress", "shorts"]))
    return Look(
        skin=Fabric(skin),
        hair=Fabric(hair, "stripes", 2.0, 0.06),
        top=_fabric(random),
        bottom=_fabric(random),
        shoes=Fabric(_pick(random, _CLOTHES)),
        coat=_fabric(random) if random.random() < 0.3 else None,
        outfit=outfit,
        long_hair=bool(random.random() < 0.55),
        long_sleeves=bool(random.random() < 0.5),
        hat=_fabric(random) if random.random() < 0.22 else None,
        glasses=bool(random.random() < 0.3),
        socks=_fabric(random) if outfit != "trousers" and random.random() < 0.45 else None,
        bag=Fabric(_pick(random, _CLOTHES)) if random.random() < 0.4 else None,
    )


def _pick(random: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    base = np.asarray(colours[int(random.integers(len(colours)))], dtype=np.float64)
    r, g, b = np.clip(base + random.normal(0, 7, 3), 0, 255)
    return float(r), float(g), float(b)


def _fabric(random: np.random.Generator) -> Fabric:
    return Fabric(
        _pick(random, _CLOTHES),
        str(random.choice(_WEAVES)),
        float(random.uniform(5, 16)),
        float(random.uniform(0.05, 0.2)),
    )
