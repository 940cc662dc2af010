"""What Alembic is told: which migrations, and on which connection."""

from pathlib import Path

from alembic.config import Config


def alembic_config(folder: Path, connection: object) -> Config:
    """The configuration of a folder's migrations; only to read them, the connection is ``None``."""
    config = Config()
    # Alembic expands what follows a %.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
