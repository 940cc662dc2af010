"""Worker processes that a hostile file can kill, and nothing else."""
