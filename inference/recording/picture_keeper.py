"""What is kept of a flagged or sampled request: small pictures, faces made unrecognisable."""

from collections.abc import Callable, Sequence
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from detectors.findings import Place
from detectors.parsing import Image, Parsing
from detectors.parts import HEAD_GROUPS, PartGroup, group_indices, group_mask
from detectors.sizes import scaled_size
from detectors.verdict import Verdict
from inference.answer.boxes import outline_places
from inference.answer.composite import mask_overlay
from inference.answer.encode import label_png, webp
from inference.gate.faces import FaceBox, FacePrior
from store.requests.picture_quota import PictureQuota
from store.requests.picture_store import ENTROPY_MAP, LABEL_MAP, OVERLAY, PICTURE, PictureStore
from store.requests.records import PictureFile

MAX_SIDE = 512
_BLOCKS_PER_SIDE = 40
_FACE_MARGIN = 0.15
# What rounding leaves of the entropy of probabilities that are 0 and 1.
_LEAST_NATS = 1e-4


class PictureKeeper:
    """Decides what is kept, makes it unrecognisable and stores it.

    A gradient attack may remove the face from the parse; so the Haar prior's boxes are pixelated
    beside the parsed faces. A face that both miss stays visible: keep retention short.

    Args:
        quota: when it is reached, passed requests are not sampled; ``None`` for no end.
        left_out: called for each request that would have been sampled.
    """

    def __init__(
        self,
        store: PictureStore,
        sample_share: float,
        random: Random,
        quota: PictureQuota | None = None,
        left_out: Callable[[], object] = lambda: None,
    ) -> None:
        self._store = store
        self._sample_share = sample_share
        self._random = random
        self._quota = quota
        self._left_out = left_out

    def keep(
        self,
        verdict: Verdict,
        image: Image,
        parsing: Parsing,
        faces: FacePrior,
        places: Sequence[Place] = (),
    ) -> tuple[PictureFile, ...]:
        """Store picture, overlay, label map and entropy map of a request, if it is one to keep.

        A parse that came as labels has no entropy map.

        Args:
            faces: asked before anything is kept, whatever the parse shows.
            places: where findings are; the overlay outlines them.
        """
        if verdict is Verdict.PASS and not self._is_sampled():
            return ()
        picture = pixelate(image, face_mask(parsing, faces.boxes))
        overlay = mask_overlay(picture, parsing, MAX_SIDE)
        overlay = outline_places(overlay, places, image.shape[0], image.shape[1])
        pictures = {
            PICTURE: webp(limit_size(picture, MAX_SIDE)),
            OVERLAY: webp(overlay),
        }
        # Where a source answers labels alone, a black map would say that it was sure.
        if np.max(np.asarray(parsing.entropies), initial=0) > _LEAST_NATS:
            pictures[ENTROPY_MAP] = webp(draw_entropy(parsing))
        return (
            *(self._store.put(kind, data, "image/webp") for kind, data in pictures.items()),
            self._store.put(LABEL_MAP, label_png(parsing, MAX_SIDE), "image/png"),
        )

    def _is_sampled(self) -> bool:
        if self._random.random() >= self._sample_share:
            return False
        if self._quota is not None and self._quota.is_reached():
            self._left_out()
            return False
        return True


def face_mask(parsing: Parsing, faces: Sequence[FaceBox]) -> npt.NDArray[np.bool_]:
    """Pixels ``(H, W)`` that may show a face, by the parse or by the face prior, with a margin."""
    mask = _parsed_faces(parsing).astype(np.uint8)
    side = max(3, round(0.01 * max(mask.shape))) | 1
    mask = cv2.dilate(mask, np.ones((side, side), np.uint8)).astype(np.uint8)
    for face in faces:
        margin = round(_FACE_MARGIN * face.width)
        top, left = max(0, face.top - margin), max(0, face.left - margin)
        bottom, right = face.top + face.height + margin, face.left + face.width + margin
        mask[top:bottom, left:right] = 1
    return mask.astype(np.bool_)


def _parsed_faces(parsing: Parsing) -> npt.NDArray[np.bool_]:
    """Faces; of labels without one the heads, and of labels without heads the whole persons."""
    for groups in ((PartGroup.FACE,), HEAD_GROUPS):
        if group_indices(parsing.parts, groups):
            return group_mask(parsing, *groups)
    return parsing.label_map > 0


def pixelate(image: Image, mask: npt.NDArray[np.bool_]) -> Image:
    """The picture with the masked pixels replaced by coarse blocks."""
    height, width = image.shape[:2]
    block = max(4, max(height, width) // _BLOCKS_PER_SIDE)
    small = cv2.resize(
        image, (max(1, width // block), max(1, height // block)), interpolation=cv2.INTER_AREA
    )
    coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.where(mask[..., None], coarse, image).astype(np.uint8)


def draw_entropy(parsing: Parsing) -> Image:
    """The pixel entropies as a heat map ``(h, w, 3)`` at the picture's proportions."""
    entropies = np.asarray(parsing.entropies, dtype=np.float32)
    share = np.clip(entropies / np.log(len(parsing.labels)), 0, 1)
    heat = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    height, width = parsing.label_map.shape
    scale = MAX_SIDE / max(height, width)
    size = scaled_size(height, width, scale)
    picture = cv2.cvtColor(cv2.resize(heat, size), cv2.COLOR_BGR2RGB)
    return np.asarray(picture, dtype=np.uint8)


def limit_size(image: Image, max_side: int) -> Image:
    """The picture, made smaller if a side of it is longer."""
    height, width = image.shape[:2]
    if max(height, width) <= max_side:
        return image
    size = scaled_size(height, width, max_side / max(height, width))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
