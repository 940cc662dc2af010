"""The scan that scores records, the retraining of what scores them, and what labels teach."""
