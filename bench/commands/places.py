"""Where the data of measurements lies, and where their results go, unless told otherwise."""

from pathlib import Path

CACHE, DOCS = (Path(__file__).parents[2] / name for name in (".bench", "docs"))
SHARED = Path("..") / "shared" / "data"
DATA, HOSTILE, STREET = SHARED / "parsing", SHARED / "hostile", SHARED / "street" / "people"
ANOMALY = SHARED / "anomaly"
BODYPIX = SHARED / "models" / "bodypix" / "mobilenet050-stride16.onnx"
