"""Drawn people with exact labels: pictures for the demo, the tests and a part of the training.

No real person is shown, so these pictures may be printed and shipped anywhere.
"""

from inference.figures.scene import Figure, draw_figure

__all__ = ["Figure", "draw_figure"]
