"""A page that parses people, as many run it: Flask in front of a model, with no guard.

It stands for somebody else's service, and knows nothing of Maskwatch but the model that it runs.
"""

import argparse
import sys
from base64 import b64encode
from typing import Any

import numpy as np
from flask import Flask, Response, jsonify, request
from PIL import Image, UnidentifiedImageError
from werkzeug.serving import make_server

from inference.answer.composite import colour_composite
from inference.answer.encode import label_png, png
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Human parsing</title>
<style>
  body { font-family: sans-serif; margin: 2rem }
  img { max-width: 45%; margin-right: 1rem }
</style>
<h1>Human parsing</h1>
<form id="form">
  <input type="file" name="image" accept="image/*" required>
  <button>Parse</button>
</form>
<p id="message"></p>
<img id="composite" alt=""><img id="labels" alt="">
<script>
  const find = (id) => document.getElementById(id);
  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    find("message").textContent = "…";
    const answer = await fetch("api/parse", { method: "POST", body: new FormData(find("form")) });
    const content = await answer.json();
    find("message").textContent = content.error || content.detail || "";
    for (const name of ["composite", "labels"]) {
      find(name).src = content[name] ? `data:image/png;base64,${content[name]}` : "";
    }
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

    @app.post("/api/parse")
    def parse() -> Response | tuple[Response, int]:
        if "image" not in request.files:
            return jsonify(error="Send the picture in the field 'image'."), 400
        try:
            picture = np.asarray(Image.open(request.files["image"].stream).convert("RGB"))
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
            return jsonify(error="This is no picture."), 400
        return jsonify(_answer(model, picture))

    return app


def _answer(model: ReferenceSegmenter, picture: Any) -> dict[str, str]:
    """Two PNGs in base64: masks over the picture, and label numbers as pixels."""
    parsing = model.parse(picture)
    composite, labels = png(colour_composite(picture, parsing)), label_png(parsing)
    return {"composite": _encode(composite), "labels": _encode(labels)}


def _encode(data: bytes) -> str:
    return b64encode(data).decode()


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
