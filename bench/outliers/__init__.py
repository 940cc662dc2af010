"""The outlier models against PyOD's detectors and scikit-learn's speed."""
