"""What of a picture is listed and looked for: patches and perturbations."""
