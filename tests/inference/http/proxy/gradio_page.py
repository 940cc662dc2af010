"""A parsing page in Gradio, run by an interpreter that has it: ``gradio_page.py PORT FOLDER``.

Each picture that the application decodes is kept in the folder.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr
import numpy as np


def parse(image: Any) -> tuple[Any, list[tuple[Any, str]]]:
    """Hair where a picture is dark, and a face in its first quarter."""
    np.save(Path(sys.argv[2]) / f"{uuid4()}.npy", image)
    face = np.zeros(image.shape[:2], bool)
    face[: image.shape[0] // 2, : image.shape[1] // 2] = True
    hair = (image.mean(axis=2) < 128) & ~face
    return image, [(hair.astype(float), "Hair"), (face.astype(float), "Face")]


def parse_slowly(image: Any) -> Iterator[tuple[Any, list[tuple[Any, str]]]]:
    """The same parse, again and again."""
    for _ in range(3):
        yield parse(image)


def parse_both(one: Any, other: Any) -> tuple[Any, Any]:
    """A parse of each."""
    return parse(one), parse(other)


def fail(image: Any) -> None:
    """Break down."""
    raise gr.Error("Out of memory.")


def main() -> None:
    """Serve until somebody ends the process."""
    with gr.Blocks() as page:
        image = gr.Image(type="numpy", label="Picture")
        parts = gr.AnnotatedImage(format="png", label="Parts")
        gr.Button("Parse").click(parse, image, parts, api_name="parse")
        gr.Button("Slowly").click(parse_slowly, image, parts, api_name="slowly")
        gr.Button("Fail").click(fail, image, parts, api_name="fail")
        other, rest = gr.Image(type="numpy"), gr.AnnotatedImage(format="png")
        gr.Button("Both").click(parse_both, [image, other], [parts, rest], api_name="both")
        words = gr.Textbox()
        gr.Button("Say").click(lambda text: text, words, words, api_name="say")
    page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)


if __name__ == "__main__":
    main()
