"""What further looks at the same picture say: ensembles, squeezes, tiles, triggers."""
