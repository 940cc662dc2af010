"""What of a picture is blocked: patches, perturbations, and pictures that look alike."""
