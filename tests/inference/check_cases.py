"""Checks with one part changed, and cases for them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from detectors.findings import Finding
from detectors.parsing import Image, Parsing
from inference.checks.base import Case, Check
from inference.gate.faces import FacePrior
from inference.gate.media import MediaType
from inference.gate.screen import Decoded, InFile, Screened
from inference.results.content import Content
from inference.segmenters.base import Segmenter
from inference.upload import Arrival, Upload

ARRIVAL = Arrival("c0ffee00", datetime(2026, 3, 2, tzinfo=UTC), "ip:192.0.2.1", "api")
LOOKS = ("first_look", "ensemble", "crafted")


def check_named(checks: Sequence[Check], name: str) -> Any:
    """The check of that name."""
    [check] = [each for each in checks if each.name == name]
    return check


def with_changed(checks: Sequence[Check], name: str, **changes: object) -> tuple[Check, ...]:
    """The same checks, with fields of one of them changed."""
    changed = replace(check_named(checks, name), **changes)
    return tuple(changed if each.name == name else each for each in checks)


def without(checks: Sequence[Check], *names: str) -> tuple[Check, ...]:
    """The other checks."""
    return tuple(each for each in checks if each.name not in names)


class Blind:
    """Sees nothing but background."""

    name, digest, labels = "blind", "0" * 64, ("background", "face")

    def parse(self, image: Image) -> Parsing:
        (seen,) = self.probabilities([image])
        return Parsing(seen, np.zeros(image.shape[:2], np.uint8), self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        return [np.array([[[1.0]], [[0.0]]], dtype=np.float32) for _ in pictures]


def blank_content() -> Content:
    """A black picture in which nobody is seen, before anything was measured on it."""
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    screened = Screened(
        Decoded(image, MediaType.PNG, (), 1.0, 1, InFile(*image.shape[:2])),
        FacePrior(tuple),
        {},
        (),
    )
    return Content(screened, Blind().parse(image), {}, ())


def case_of(
    content: Content,
    segmenter: Segmenter,
    findings: Sequence[Finding] = (),
    forward_ms: float | None = None,
) -> Case:
    """A case after checks that found something."""
    case = content.case_of(ARRIVAL, Upload(b"bytes"), segmenter, tuple(findings))
    return replace(case, forward_ms=forward_ms)
