"""What a training run does, stage by stage."""

from dataclasses import dataclass

from inference.segmenters.reference.training.data import Size


@dataclass(frozen=True)
class Stage:
    """Epochs under one cycle of the learning rate; ``sizes`` share them equally, in order.

    ``correction`` is the share of the label weights that is taken back from what is written.
    ``frozen_norms`` keeps the batch norms' statistics: batches of crowds and of single people
    differ too much for one average of both to suit either. ``start_share`` is how much of what is
    written are the weights that the stage began with.
    """

    name: str
    sizes: tuple[Size, ...]
    epochs: int
    learning_rate: float
    average_decay: float
    several_people: bool
    dice: float = 1.0
    correction: float = 0.0
    frozen_norms: bool = False
    start_share: float = 0.0

    def size(self, epoch: int) -> Size:
        """Width and height of the pictures of an epoch, counted from 0."""
        return self.sizes[epoch * len(self.sizes) // self.epochs]


# From scratch, as the first edition was trained: one whole person, small pictures first.
BASE = Stage("base", ((128, 192), (192, 288)), 80, 2e-3, 0.995, several_people=False)
# Larger pictures with several people, close-ups and empty places.
CROWDS = Stage(
    "crowds",
    ((224, 336),),
    8,
    5e-4,
    0.99,
    several_people=True,
    dice=1.5,
    correction=1.0,
    frozen_norms=True,
    start_share=0.5,
)


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    stages: tuple[Stage, ...] = (BASE, CROWDS)
    batch: int = 12
    weight_decay: float = 0.02
    figures: int = 90
    seed: int = 1
