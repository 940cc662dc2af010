"""What the scan is for: an evening of the mixed deployment with one attack picture in twenty."""
