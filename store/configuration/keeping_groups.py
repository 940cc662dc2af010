"""Settings of what is kept, and for how long."""

from pydantic import Field

from store.configuration.groups import Group


class PicturesGroup(Group):
    """Which pictures of requests are kept, and how much room they may take."""

    evidence_sample_share: float = Field(0.02, ge=0, le=1)
    """Share of passed requests whose downscaled, pixelated picture is kept; flagged ones always."""

    evidence_quota_mb: int = Field(2048, ge=1, le=10_000_000)
    """Megabytes (of 1,000,000 bytes) that kept pictures may take. Beyond it passed requests are not
    sampled, and `prune` removes the oldest pictures first."""

    @property
    def evidence_quota_bytes(self) -> int:
        """The quota of kept pictures."""
        return self.evidence_quota_mb * 1_000_000


class RetentionGroup(Group):
    """For how long what is recorded is kept."""

    retention_days: int = Field(30, ge=1, le=3650)
    """Days for which records are kept; whole days go on PostgreSQL, so up to one day longer."""

    evidence_days: int = Field(30, ge=1, le=3650)
    """Days for which pictures of requests are kept; never longer than their records."""

    fingerprint_hours: int = Field(24, ge=1, le=720)
    """Hours for which fingerprints are kept, so that near-duplicates are recognised."""
