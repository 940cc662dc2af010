"""A page that parses people, as many run it: Flask in front of a model, with no guard.

It stands for somebody else's service, and knows nothing of Maskwatch but the model that it runs.
"""

import argparse
import sys
from io import BytesIO
from typing import Any

import numpy as np
from flask import Flask, Response, jsonify, request, send_file
from PIL import Image, UnidentifiedImageError
from werkzeug.serving import make_server

from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

# M2FP's numbers for the labels of the small parser, which does not tell left from right. M2FP has
# none for bags.
_M2FP = {
    "background": 0,
    "hat": 1,
    "hair": 2,
    "glasses": 4,
    "upper_clothes": 5,
    "dress": 6,
    "coat": 7,
    "socks": 8,
    "pants": 9,
    "skirt": 12,
    "face": 13,
    "arm": 14,
    "leg": 16,
    "shoes": 18,
    "bag": 0,
}
_NUMBERS = np.array([_M2FP[label] for label in LABELS], np.uint8)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Human parsing</title>
<style>
  body { font-family: sans-serif; margin: 2rem }
  img { max-width: 45%; margin-right: 1rem; vertical-align: top }
</style>
<h1>Human parsing</h1>
<form id="form">
  <input type="file" name="image" accept="image/*" required>
  <button>Parse</button>
</form>
<p id="message"></p>
<img id="picture" alt=""><img id="parts" alt="">
<script>
  const find = (id) => document.getElementById(id);
  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    find("message").textContent = "…";
    const answer = await fetch("predict", { method: "POST", body: new FormData(find("form")) });
    const problem = answer.ok ? {} : await answer.json();
    find("message").textContent = problem.error || problem.detail || "";
    find("picture").src = answer.ok ? URL.createObjectURL(find("form").image.files[0]) : "";
    find("parts").src = answer.ok ? URL.createObjectURL(await answer.blob()) : "";
  });
</script>
"""


def build_app() -> Flask:
    """The page and its interface; the model is loaded once."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 32_000_000
    model = ReferenceSegmenter.load(DEFAULT_WEIGHTS)

    @app.get("/")
    def page() -> str:
        return _PAGE

    @app.post("/predict")
    def predict() -> Response | tuple[Response, int]:
        if "image" not in request.files:
            return jsonify(error="Send the picture in the field 'image'."), 400
        try:
            picture = np.asarray(Image.open(request.files["image"].stream).convert("RGB"))
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
            return jsonify(error="This is no picture."), 400
        return _send(_NUMBERS[model.parse(picture).label_map])

    return app


def _send(labels: Any) -> Response:
    """A PNG of label numbers ``(H, W)`` uint8, each in its colour."""
    parts, buffer = Image.fromarray(labels), BytesIO()
    parts.putpalette([value for number in range(20) for value in _colour(number)])
    parts.save(buffer, "PNG")
    buffer.seek(0)
    return send_file(buffer, "image/png")


def _colour(number: int) -> tuple[int, ...]:
    """Red, green and blue of a label, as Pascal VOC colours them."""
    return tuple(
        sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3))
        for channel in range(3)
    )


def main() -> None:
    """Serve on loopback until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A page that parses people.")
    parser.add_argument("--port", type=int, default=5000)
    server = make_server("127.0.0.1", parser.parse_args().port, build_app(), threaded=True)
    sys.stdout.write(f"Open http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
