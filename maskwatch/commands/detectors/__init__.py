"""``maskwatch detectors``: the outlier models, which one is in force, and the way back."""
