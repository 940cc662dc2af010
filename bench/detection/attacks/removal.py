"""Parts of people that become background."""

from functools import partial

from bench.detection.attacks.base import OwnAttack, Removal
from detectors.parsing import Image
from detectors.parts import PartGroup
from inference.attacks import remove_part
from inference.segmenters.reference.segmenter import ReferenceSegmenter

_STEPS = 40
_FACE, _HANDS, _PERSON = (PartGroup.FACE,), (PartGroup.ARMS,), tuple(PartGroup)
# By name: which groups vanish, and the size of the change in 8-bit levels.
_REMOVALS = {
    "remove_face_e2": (_FACE, 2),
    "remove_face_e4": (_FACE, 4),
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
            settings=f"groups={','.join(groups)} epsilon={epsilon} steps={_STEPS}",
        )
        for name, (groups, epsilon) in _REMOVALS.items()
    ]


def _remove(
    segmenter: ReferenceSegmenter,
    image: Image,
    seed: int,
    *,
    groups: tuple[PartGroup, ...],
    epsilon: int,
) -> Image:
    return remove_part(segmenter, image, groups, epsilon=epsilon, steps=_STEPS, seed=seed)
