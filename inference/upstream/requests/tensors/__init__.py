"""Pictures that are tensors in requests: as numbers in JSON, or as bytes behind it."""
