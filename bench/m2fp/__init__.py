"""M2FP as Maskwatch runs it against ModelScope's own pipeline, with the same weights."""
