"""Augmentation of colours and the marks of cameras."""

import cv2
import numpy as np

from detectors.parsing import Image


def develop(image: Image, random: np.random.Generator) -> Image:
    """Exposure, contrast, colour cast, blur, noise, greyness and compression."""
    pixels = image.astype(np.float32)
    mean = pixels.mean()
    pixels = (pixels - mean) * random.uniform(0.7, 1.3) + mean * random.uniform(0.7, 1.3)
    pixels = pixels * random.uniform(0.9, 1.1, 3).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * _saturation(random)
    if random.random() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(random.uniform(0.4, 1.3)))
    if random.random() < 0.3:
        noise = random.standard_normal(pixels.shape, dtype=np.float32)
        pixels = pixels + noise * np.float32(random.uniform(1, 6))
    result = np.clip(pixels, 0, 255).astype(np.uint8)
    if random.random() < 0.15:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 90))]
        result = cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(result, dtype=np.uint8)


def relight(image: Image, random: np.random.Generator) -> Image:
    """One person's own light: brightness, contrast and colour cast from a table."""
    levels = np.arange(256, dtype=np.float64)[:, None]
    contrast, shift = random.uniform(0.75, 1.25), random.uniform(-25, 25)
    table = ((levels - 128) * contrast + 128 + shift) * random.uniform(0.88, 1.12, 3)
    curve = np.clip(table, 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(image, curve), dtype=np.uint8)


def _saturation(random: np.random.Generator) -> float:
    """Colour strength; one picture in twenty is grey."""
    return 0.0 if random.random() < 0.05 else float(random.uniform(0.5, 1.4))
