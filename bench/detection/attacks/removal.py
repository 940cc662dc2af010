"""Parts of people that become background.

Momentum, falling steps and a high weight of the part find far more than plain steps of equal size,
above all at two levels, where a step of one level is half of all there is.
"""

from functools import partial

from bench.detection.attacks.base import OwnAttack, Removal
from detectors.parsing import Image
from detectors.parts import PartGroup
from inference.segmenters.reference.training.attacks import Attackable, Budget, ascend, removal_loss

_STEPS, _MOMENTUM, _LAST_STEP = 40, 0.7, 0.2
_WEIGHT = 100.0
_FACE, _HANDS, _PERSON = (PartGroup.FACE,), (PartGroup.ARMS,), tuple(PartGroup)
# By name: which groups vanish, and the size of the change in 8-bit levels.
_REMOVALS = {
    "remove_face_e2": (_FACE, 2),
    "remove_face_e4": (_FACE, 4),
    "remove_face_e8": (_FACE, 8),
    "remove_hands_e2": (_HANDS, 2),
    "remove_hands_e4": (_HANDS, 4),
    "remove_person": (_PERSON, 4),
    "remove_person_e8": (_PERSON, 8),
}


def removal_attacks() -> list[OwnAttack]:
    """Face, hands with arms, and whole people."""
    return [
        OwnAttack(
            name=name,
            goal=Removal(groups),
            craft=partial(_remove, groups=groups, epsilon=epsilon),
            settings=f"groups={','.join(groups)} budget={_budget(epsilon)} weight={_WEIGHT}",
        )
        for name, (groups, epsilon) in _REMOVALS.items()
    ]


def _remove(
    segmenter: Attackable,
    image: Image,
    seed: int,
    *,
    groups: tuple[PartGroup, ...],
    epsilon: int,
) -> Image:
    loss = removal_loss(segmenter, image, groups, _WEIGHT)
    return ascend(segmenter, image, loss, _budget(epsilon), seed)


def _budget(epsilon: int) -> Budget:
    return Budget(epsilon, _STEPS, _MOMENTUM, _LAST_STEP)
