"""The scan that scores records, and the retraining of the model that scores them."""
