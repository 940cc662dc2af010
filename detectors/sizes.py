"""Sizes of resized pictures."""


def scaled_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Width and height as OpenCV takes them; no side of a long strip vanishes.

    >>> scaled_size(12_000, 8, 0.04)
    (1, 480)
    """
    return max(1, round(width * scale)), max(1, round(height * scale))
