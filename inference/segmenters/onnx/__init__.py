"""Any network in ONNX, with a description beside it."""
