"""One drawn person: proportions of about seven and a half heads, painted from back to front."""

from dataclasses import dataclass

import numpy as np

from detectors.label_lists import LABEL_LISTS
from inference.figures.canvas import Canvas, Colour, Fabric, Point
from inference.figures.look import Look

_LABELS = {name: index for index, name in enumerate(LABEL_LISTS["reference"])}


@dataclass(frozen=True)
class Skeleton:
    """Joints in picture pixels; ``unit`` is the body height."""

    x: float
    y: float
    unit: float
    elbows: tuple[Point, Point]
    hands: tuple[Point, Point]
    knees: tuple[Point, Point]
    ankles: tuple[Point, Point]

    def at(self, across: float, down: float) -> Point:
        """A point by its distance from the middle and from the top, in body heights."""
        return self.x + across * self.unit, self.y + down * self.unit


def random_skeleton(random: np.random.Generator, x: float, y: float, height: float) -> Skeleton:
    """A standing pose around ``x`` with the crown of the head at ``y``."""
    stance = float(random.uniform(0.045, 0.085))
    sides = (-1.0, 1.0)
    swing = [float(random.uniform(0.0, 0.045)) for _ in sides]
    bent_arm = int(random.integers(4))
    hands = [(s * (0.135 + k), 0.485) for s, k in zip(sides, swing, strict=True)]
    elbows = [(s * (0.135 + 0.6 * k), 0.335) for s, k in zip(sides, swing, strict=True)]
    if bent_arm < 2:
        hands[bent_arm], elbows[bent_arm] = (
            (sides[bent_arm] * 0.085, 0.455),
            (sides[bent_arm] * 0.2, 0.335),
        )
    knees = [(s * (stance + float(random.uniform(-0.01, 0.015))), 0.725) for s in sides]
    ankles = [(s * (stance + float(random.uniform(-0.01, 0.03))), 0.945) for s in sides]

    def place(points: list[Point]) -> tuple[Point, Point]:
        first, second = ((x + px * height, y + py * height) for px, py in points)
        return first, second

    return Skeleton(x, y, height, place(elbows), place(hands), place(knees), place(ankles))


class PersonPainter:
    """Paints one person from the back to the front."""

    def __init__(self, canvas: Canvas, look: Look, skeleton: Skeleton) -> None:
        self._canvas = canvas
        self._look = look
        self._bones = skeleton
        self._unit = skeleton.unit

    def paint(self) -> None:
        """The whole person."""
        self._shadow()
        if self._look.long_hair:
            self._back_hair()
        self._legs()
        self._shoes()
        self._lower_clothes()
        self._neck()
        self._torso()
        self._arms()
        if self._look.coat is not None:
            self._coat(self._look.coat)
        self._head()
        if self._look.bag is not None:
            self._bag(self._look.bag)

    def _shadow(self) -> None:
        centre, axes = self._bones.at(0.03, 0.972), (0.17 * self._unit, 0.018 * self._unit)
        red, green, blue = (0.45 * value for value in self._canvas.mean_colour())
        self._canvas.ellipse(centre, axes, Fabric((red, green, blue)), None)

    def _polygon(self, points: list[Point], fabric: Fabric, label: int | None) -> None:
        self._canvas.polygon([self._bones.at(*point) for point in points], fabric, label)

    def _draw_both_halves(self, half: list[Point], fabric: Fabric, label: int) -> None:
        self._polygon(half + [(-x, y) for x, y in reversed(half)], fabric, label)

    def _limb(self, joints: list[Point], widths: list[float], fabric: Fabric, label: int) -> None:
        self._canvas.limb(joints, [width * self._unit for width in widths], fabric, label)

    def _back_hair(self) -> None:
        half = [(0.0, 0.012), (0.045, 0.02), (0.064, 0.07), (0.07, 0.15), (0.06, 0.215), (0, 0.2)]
        self._draw_both_halves(half, self._look.hair, _LABELS["hair"])

    def _legs(self) -> None:
        trousers = self._look.outfit == "trousers"
        fabric = self._look.bottom if trousers else self._look.skin
        label = _LABELS["pants"] if trousers else _LABELS["leg"]
        widths = [0.1, 0.078, 0.062] if trousers else [0.085, 0.06, 0.042]
        for side, knee, ankle in zip((-1, 1), self._bones.knees, self._bones.ankles, strict=True):
            hip = self._bones.at(side * 0.048, 0.5)
            if trousers:
                self._limb([knee, ankle], [0.04, 0.035], self._look.skin, _LABELS["leg"])
            end = (ankle[0], ankle[1] - 0.012 * self._unit) if trousers else ankle
            self._limb([hip, knee, end], widths, fabric, label)

    def _shoes(self) -> None:
        for side, ankle in zip((-1, 1), self._bones.ankles, strict=True):
            x, y = ankle
            if self._look.socks is not None:
                top = (x, y - 0.07 * self._unit)
                self._limb([top, (x, y)], [0.05, 0.044], self._look.socks, _LABELS["socks"])
            toe = (x + side * 0.022 * self._unit, y + 0.028 * self._unit)
            heel = (x - side * 0.004 * self._unit, y + 0.02 * self._unit)
            self._limb([heel, toe], [0.044, 0.036], self._look.shoes, _LABELS["shoes"])

    def _lower_clothes(self) -> None:
        if self._look.outfit in {"trousers", "shorts"}:
            half = [(0.0, 0.43), (0.078, 0.43), (0.098, 0.53), (0.09, 0.56), (0.0, 0.545)]
            self._draw_both_halves(half, self._look.bottom, _LABELS["pants"])
        if self._look.outfit == "shorts":
            for side, knee in zip((-1, 1), self._bones.knees, strict=True):
                end = (knee[0], knee[1] - 0.09 * self._unit)
                hip = self._bones.at(side * 0.048, 0.5)
                self._limb([hip, end], [0.105, 0.1], self._look.bottom, _LABELS["pants"])
        if self._look.outfit == "skirt":
            half = [(0.0, 0.42), (0.07, 0.42), (0.098, 0.5), (0.13, 0.69), (0.0, 0.7)]
            self._draw_both_halves(half, self._look.bottom, _LABELS["skirt"])

    def _neck(self) -> None:
        joints = [self._bones.at(0, 0.1), self._bones.at(0, 0.185)]
        self._limb(joints, [0.05, 0.058], self._look.skin, _LABELS["face"])

    def _torso(self) -> None:
        half = [(0.0, 0.185), (0.03, 0.165), (0.1, 0.18), (0.118, 0.215), (0.084, 0.3)]
        if self._look.outfit == "dress":
            half += [(0.074, 0.4), (0.1, 0.5), (0.145, 0.7), (0.0, 0.715)]
            self._draw_both_halves(half, self._look.top, _LABELS["dress"])
            return
        half += [(0.076, 0.38), (0.082, 0.46), (0.0, 0.465)]
        self._draw_both_halves(half, self._look.top, _LABELS["upper_clothes"])

    def _arms(self) -> None:
        label = _LABELS["dress"] if self._look.outfit == "dress" else _LABELS["upper_clothes"]
        for side, elbow, hand in zip((-1, 1), self._bones.elbows, self._bones.hands, strict=True):
            shoulder = self._bones.at(side * 0.1, 0.203)
            self._limb(
                [shoulder, elbow, hand], [0.052, 0.042, 0.03], self._look.skin, _LABELS["arm"]
            )
            self._canvas.ellipse(
                hand, (0.019 * self._unit, 0.026 * self._unit), self._look.skin, _LABELS["arm"]
            )
            sleeve = [shoulder, _between(shoulder, elbow, 0.55)]
            widths = [0.062, 0.056]
            if self._look.long_sleeves:
                sleeve, widths = [shoulder, elbow, _between(elbow, hand, 0.85)], [0.062, 0.05, 0.04]
            self._limb(sleeve, widths, self._look.top, label)

    def _coat(self, fabric: Fabric) -> None:
        for side, elbow, hand in zip((-1, 1), self._bones.elbows, self._bones.hands, strict=True):
            shoulder = self._bones.at(side * 0.1, 0.205)
            cuff = _between(elbow, hand, 0.85)
            self._limb([shoulder, elbow, cuff], [0.072, 0.06, 0.05], fabric, _LABELS["coat"])
            front = [(0.035, 0.165), (0.105, 0.178), (0.128, 0.22), (0.1, 0.32)]
            front += [(0.125, 0.6), (0.045, 0.61), (0.03, 0.35)]
            self._polygon([(side * x, y) for x, y in front], fabric, _LABELS["coat"])

    def _head(self) -> None:
        centre, axes = self._bones.at(0, 0.077), (0.047 * self._unit, 0.064 * self._unit)
        self._canvas.ellipse(centre, axes, self._look.skin, _LABELS["face"])
        self._features()
        self._hair()
        if self._look.glasses:
            self._glasses()
        if self._look.hat is not None:
            self._hat(self._look.hat)

    def _features(self) -> None:
        dark = (46.0, 32.0, 28.0)
        for side in (-1, 1):
            eye = self._bones.at(side * 0.018, 0.077)
            white = (0.0085 * self._unit, 0.0052 * self._unit)
            pupil = (0.004 * self._unit, 0.0046 * self._unit)
            self._canvas.ellipse(eye, white, Fabric((245, 242, 238)), None)
            self._canvas.ellipse(eye, pupil, Fabric(dark), None)
            brow = [(side * 0.009, 0.066), (side * 0.019, 0.0635), (side * 0.028, 0.067)]
            self._stroke(brow, 0.0035, _darker(self._look.hair.colour, 0.8))
        skin = self._look.skin.colour
        nose = [(0.001, 0.078), (0.006, 0.094), (-0.002, 0.096)]
        self._stroke(nose, 0.0025, _darker(skin, 0.78))
        lips = (skin[0] * 0.82, skin[1] * 0.55, skin[2] * 0.55)
        mouth = (0.0145 * self._unit, 0.0046 * self._unit)
        self._canvas.ellipse(self._bones.at(0, 0.11), mouth, Fabric(lips), None)

    def _hair(self) -> None:
        low = 0.085 if self._look.long_hair else 0.062
        half = [(0.0, 0.006), (0.034, 0.012), (0.051, 0.04), (0.053, low), (0.044, low)]
        half += [(0.041, 0.054), (0.02, 0.043), (0.0, 0.045)]
        self._draw_both_halves(half, self._look.hair, _LABELS["hair"])

    def _glasses(self) -> None:
        frame = Fabric((24, 24, 28))
        axes = (0.0155 * self._unit, 0.0115 * self._unit)
        bridge = [(-0.036, 0.076), (0.036, 0.076), (0.036, 0.079), (-0.036, 0.079)]
        self._polygon(bridge, frame, _LABELS["glasses"])
        for side in (-1, 1):
            self._canvas.ellipse(
                self._bones.at(side * 0.018, 0.078), axes, frame, _LABELS["glasses"]
            )

    def _hat(self, fabric: Fabric) -> None:
        brim = [(0.0, 0.032), (0.074, 0.036), (0.076, 0.043), (0.0, 0.05)]
        crown = [(0.0, -0.022), (0.036, -0.018), (0.047, 0.01), (0.05, 0.04), (0.0, 0.04)]
        self._draw_both_halves(crown, fabric, _LABELS["hat"])
        self._draw_both_halves(brim, fabric, _LABELS["hat"])

    def _bag(self, fabric: Fabric) -> None:
        x, y = self._bones.hands[1]
        half, depth = 0.05 * self._unit, 0.09 * self._unit
        top = y + 0.045 * self._unit
        strap = [(x - 0.6 * half, top), (x, y + 0.012 * self._unit), (x + 0.6 * half, top)]
        self._canvas.limb(strap, [0.009 * self._unit] * 3, fabric, _LABELS["bag"])
        corners = [(x - half, top), (x + half, top), (x + 0.9 * half, top + depth)]
        corners.append((x - 0.9 * half, top + depth))
        self._canvas.polygon(corners, fabric, _LABELS["bag"])

    def _stroke(self, points: list[Point], width: float, colour: Colour) -> None:
        places = [self._bones.at(*point) for point in points]
        self._canvas.stroke(places, width * self._unit, colour)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _darker(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor
