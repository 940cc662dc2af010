"""Settings of the store: where records live, and what else is kept of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from store.configuration.groups import Group

if TYPE_CHECKING:
    from sqlalchemy import URL


class StoreGroup(Group):
    """Where records live."""

    var_dir: Path = Path("var")
    """Folder for the SQLite file, evidence, outlier models, the spool and unsent mail."""

    database_url: SecretStr | None = None
    """SQLAlchemy URL (`postgresql+psycopg://…`, `sqlite:///…`); default: SQLite in `var_dir`."""

    database_host: str | None = Field(None, min_length=1)
    """PostgreSQL's host, address or folder of its socket, if `database_url` does not say it."""

    database_port: int | None = Field(None, ge=1, le=65535)
    """PostgreSQL's port, if `database_url` does not say it."""

    database_name: str | None = Field(None, min_length=1)
    """The database's name, if `database_url` does not say it."""

    database_user: str | None = Field(None, min_length=1)
    """User on PostgreSQL, if `database_url` does not say it; as it is, without percent forms."""

    database_password: SecretStr | None = Field(None, min_length=1)
    """Password on PostgreSQL, if `database_url` does not say it; without percent forms too."""

    database_wait_seconds: float = Field(5.0, ge=0, le=600, allow_inf_nan=False)
    """How long a statement waits for a locked SQLite file before the record goes to the spool."""

    read_timeout_seconds: float = Field(5.0, gt=0, le=3600, allow_inf_nan=False)
    """How long one statement of a read may take in the service and on a page of the dashboard."""

    min_free_disk_mb: int = Field(1024, ge=1, le=10_000_000)
    """With fewer megabytes (of 1,000,000 bytes) left on the disk of the var folder or of the SQLite
    file, an alert fires: a full disk takes no records, and without a record there is no answer."""

    start_check_seconds: float = Field(2.0, ge=0, le=3600, allow_inf_nan=False)
    """How long a process looks for damage in a SQLite file at its start; 0 does not look."""

    def database_address(self) -> "URL":
        """What the URL and the parts say, or the SQLite file under ``var_dir``.

        Raises:
            SettingsError: the URL is none that Maskwatch knows, or they do not go together.
        """
        from store.configuration.database_address import (  # noqa: PLC0415 - SQLAlchemy is slow
            AddressParts,
            file_address,
            read_address,
            server_address,
        )

        url = _text_of(self.database_url)
        parts = AddressParts(
            self.database_host,
            self.database_port,
            self.database_name,
            self.database_user,
            _text_of(self.database_password),
        )
        if parts.as_dict():
            return server_address(parts, url)
        if url is not None:
            return read_address(url)
        return file_address(self.var_dir / "maskwatch.db")

    @property
    def min_free_disk_bytes(self) -> int:
        """The least room on a disk that raises no alert."""
        return self.min_free_disk_mb * 1_000_000

    def effective_database_url(self) -> str:
        """The same as text, with its password, for the environment of another process."""
        return self.database_address().render_as_string(hide_password=False)


def _text_of(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


class AuditGroup(Group):
    """Where the head of the audit chain is kept besides the database."""

    audit_anchor_file: Path | None = None
    """File that the job `anchor_audit` appends the newest row's number and hash to; make it first,
    on a disk that whoever may change the database may not change."""

    audit_anchor_syslog: str | None = Field(
        None,
        pattern=r"^(/\S+|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}|[A-Za-z0-9._-]+:[0-9]{1,5})$",
        examples=["/dev/log", "log.example.org:514"],
    )
    """System log that gets them too: a socket such as `/dev/log`, or `host:port` for UDP."""
