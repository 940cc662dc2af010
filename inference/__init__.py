"""The service process: HTTP, gate, segmenters, pipeline, recorder."""
