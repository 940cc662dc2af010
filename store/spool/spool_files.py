"""Where records wait while the database is away, for those who only have to know whether any do."""

from pathlib import Path


def records_wait(var_dir: Path) -> bool:
    """Whether the spool holds records, which refer to files and clients that no row names yet."""
    spool = var_dir / "spool" / "requests.jsonl"
    return spool.exists() and spool.stat().st_size > 0
