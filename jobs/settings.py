"""Settings of the scheduler process and of the one-shot job commands."""

from email.headerregistry import Address
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from detectors.baseline.budget_limits import Limits
from detectors.outliers.kinds import OutlierKind
from store.configuration.groups import Group
from store.configuration.keeping_groups import PicturesGroup, RetentionGroup
from store.configuration.report_groups import OutliersGroup
from store.requests.row_bounds import Bounds
from store.settings import ReportSettings

_DAY_SECONDS = 86_400
MAX_BLOCK_MINUTES = 7 * 24 * 60
SMTPS_PORT = 465


class ScheduleGroup(Group):
    """When jobs run, and how long they may take."""

    scan_interval_seconds: int = Field(60, ge=1, le=_DAY_SECONDS)
    """Seconds between two scans for outliers; each is followed by new decisions."""

    alert_interval_seconds: int = Field(60, ge=1, le=_DAY_SECONDS)
    """Seconds between two evaluations of the alert rules."""

    integrity_interval_seconds: int = Field(300, ge=1, le=_DAY_SECONDS)
    """Seconds between two comparisons of the model files on disk with what was loaded."""

    expire_interval_seconds: int = Field(300, ge=1, le=_DAY_SECONDS)
    """Seconds between two rounds in which fingerprints that are too old are deleted."""

    roll_up_interval_seconds: int = Field(60, ge=1, le=_DAY_SECONDS)
    """Seconds between two rounds in which new records are counted for the dashboard."""

    anchor_interval_seconds: int = Field(60, ge=1, le=_DAY_SECONDS)
    """Seconds between two anchors of the audit chain; rows cut off within them are not missed."""

    patch_interval_seconds: int = Field(3600, ge=60, le=_DAY_SECONDS)
    """Seconds between two searches for a patch that recurs in flagged pictures."""

    perturbation_interval_seconds: int = Field(3600, ge=60, le=_DAY_SECONDS)
    """Seconds between two searches for a noise that recurs in flagged pictures."""

    prune_interval_seconds: int = Field(3600, ge=60, le=_DAY_SECONDS)
    """Seconds between two rounds in which records and pictures that are too old are deleted."""

    notify_interval_seconds: int = Field(30, ge=1, le=_DAY_SECONDS)
    """Seconds between two looks into the outbox."""

    learn_interval_seconds: int = Field(60, ge=1, le=_DAY_SECONDS)
    """Seconds between two looks at what sources can be learnt from."""

    drift_interval_seconds: int = Field(3600, ge=60, le=_DAY_SECONDS)
    """Seconds between two comparisons of the newest traffic with what the outlier model learnt
    from."""

    retrain_hour: int = Field(2, ge=0, le=23)
    """Hour of the nightly retraining, in the time zone `retrain_time_zone`."""

    retrain_time_zone: str = "UTC"
    """Time zone of that hour, such as Europe/Berlin."""

    retrain_jitter_minutes: int = Field(15, ge=0, le=180)
    """Each host begins it up to so many minutes later, at a minute of its own."""

    job_timeout_seconds: float = Field(300.0, gt=0, le=86_400, allow_inf_nan=False)
    """How long one statement of a job may take: nobody waits for it."""

    @field_validator("retrain_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, OSError, ValueError):
            raise ValueError(f"{value!r} is no time zone such as Europe/Berlin") from None
        return value


class TrainingGroup(Group):
    """What outlier models are, and what they learn from."""

    outlier_model: OutlierKind = OutlierKind.EXCESS
    """Kind of the models that are trained from now on; a change holds from the next retraining."""

    outlier_signing_key: Path | None = None
    """PEM file of a private key without a password; `retrain` signs new models with it."""

    training_days: int = Field(14, ge=1, le=365)
    """Days that a new outlier model learns from."""

    training_rows_per_client: int = Field(200, ge=1, le=100_000)
    """Most records that one client contributes to a training."""

    training_rows_per_network: int = Field(2_000, ge=1, le=1_000_000)
    """Most records that one network, a /24 or a /48 of IPv6, contributes to a training."""

    training_rows_per_family: int = Field(200, ge=1, le=1_000_000)
    """Most records that one family contributes to a training, however many clients it has: unusual
    requests that belong together, or pictures that look alike."""

    training_rows: int = Field(20_000, ge=30, le=1_000_000)
    """Most records that a training uses, newest first."""

    def bounds(self) -> Bounds:
        """How many rows a training sample has at most, in all, of one sender and of one family."""
        return Bounds(
            self.training_rows_per_client,
            self.training_rows_per_network,
            self.training_rows_per_family,
            self.training_rows,
        )


class LearningGroup(Group):
    """How sources are learnt from their own traffic."""

    learning_days: int = Field(14, ge=1, le=365)
    """Days of traffic that a source is learnt from."""

    rule_budget: float = Field(0.005, gt=0, le=0.5, allow_inf_nan=False)
    """Share of a source's accepted traffic on which one rule about the content may fire and still
    flag, counted over clients. A rule that fires more often is recorded and does not flag."""

    total_budget: float = Field(0.01, gt=0, le=0.5, allow_inf_nan=False)
    """The same for all rules about the content together."""

    def alarm_limits(self) -> Limits:
        """The alarm budgets."""
        return Limits(self.rule_budget, self.total_budget)


class BlockingGroup(Group):
    """Whom and what the jobs put on the blacklist, and for how long."""

    block_after: int = Field(3, ge=1, le=1_000)
    """Weight of one client's evidence in the window that leads to a block, and to an alert of its
    own; `docs/evidence.md` says what weighs how much."""

    block_window_minutes: int = Field(60, ge=1, le=MAX_BLOCK_MINUTES)
    """Minutes that the policy looks back on a client."""

    block_minutes: int = Field(60, ge=1, le=MAX_BLOCK_MINUTES)
    """Minutes that a first block lasts; doubled on each repeat, up to 7 days."""

    patch_block_days: int = Field(30, ge=1, le=365)
    """Days for which a patch that was found stays on the blacklist."""

    perturbation_block_days: int = Field(30, ge=1, le=365)
    """Days for which a perturbation that was found stays on the blacklist."""

    simulate_blocks: bool = True
    """Record and show blocks without enforcing them, until you have seen whom they would hit.
    `maskwatch decisions enable SCENARIO` turns them on one scenario at a time."""

    simulation_days: int = Field(7, ge=1, le=365)
    """Days after which an alert says what a simulated scenario would have done, and to whom."""

    cap_client_share: float = Field(0.02, ge=0, le=1, allow_inf_nan=False)
    """Share of the clients of a day that automatic blocks may hit; beyond it they are proposed, and
    a person decides."""

    cap_min_clients: int = Field(5, ge=0, le=1_000_000)
    """Clients that automatic blocks may hit however few there are in a day."""

    cap_traffic_share: float = Field(0.05, ge=0, le=1, allow_inf_nan=False)
    """Share of the accepted requests of a day that automatic blocks may hit."""

    cap_min_requests: int = Field(100, ge=0, le=1_000_000)
    """Accepted requests that automatic blocks may hit however few there are in a day."""

    network_share: float = Field(0.5, gt=0, le=1, allow_inf_nan=False)
    """Share of a network's clients of a day that have to be blocked for one block of the network,
    which is never wider than a /24, or a /48 of IPv6."""

    network_min_clients: int = Field(3, ge=2, le=1_000)
    """Blocked clients of a network that it takes at least."""


def _split_addresses(value: object) -> object:
    """The parts of a comma-separated text; an empty one is a mistake, and refused as one."""
    return tuple(value.split(",")) if isinstance(value, str) else value


class MailGroup(Group):
    """Where mail goes, and how."""

    smtp_host: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:-]+$", examples=["mail.example.org"]
    )
    """Mail server; without one, mails are written to `var_dir/mail`."""

    smtp_port: int = Field(587, ge=1, le=65_535)
    """Port of the mail server."""

    smtp_starttls: bool = True
    """Encrypt the connection with STARTTLS and check the server's certificate; not used where TLS
    begins with the first byte."""

    smtp_implicit_tls: bool | None = None
    """Begin TLS with the first byte and check the server's certificate; default: on port 465."""

    smtp_helo_name: str | None = Field(
        None,
        pattern=r"^([A-Za-z0-9.-]+|\[(IPv6:)?[0-9A-Fa-f.:]+\])$",
        max_length=255,
        examples=["parser.example.org", "[192.0.2.1]"],
    )
    """Name that this host gives to the mail server (EHLO); default: the host's name if that has a
    domain, else the domain of `mail_from`."""

    smtp_username: str | None = Field(None, min_length=1)
    """User name at the mail server, if it asks for one."""

    smtp_password: SecretStr | None = Field(None, validate_default=True)
    """Password at the mail server; needs `smtp_username` and TLS."""

    smtp_timeout_seconds: float = Field(10, gt=0, le=120, allow_inf_nan=False)
    """How long the mail server may take for each step."""

    mail_from: str = "maskwatch@localhost"
    """Sender of the mails."""

    mail_to: Annotated[tuple[str, ...], BeforeValidator(_split_addresses)] = Field(
        ("oncall@localhost",), min_length=1
    )
    """Comma-separated receivers of the mails."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The receivers one by one, each once."""
        return tuple(dict.fromkeys(self.mail_to))

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS begins with the first byte."""
        return _begins_with_tls(self.smtp_implicit_tls, self.smtp_port)

    @field_validator("smtp_password")
    @classmethod
    def _credentials_go_together(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        fields = info.data
        if "smtp_username" in fields:
            _check_pair(fields["smtp_username"], value)
        begins_with_tls = _begins_with_tls(fields.get("smtp_implicit_tls"), fields.get("smtp_port"))
        if value is not None and not (begins_with_tls or fields.get("smtp_starttls", True)):
            raise ValueError("a password is only sent with MASKWATCH_SMTP_STARTTLS=true")
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str) -> str:
        return _check_address(value)

    @field_validator("mail_to")
    @classmethod
    def _several_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_check_address, value))


def _check_pair(user: str | None, password: SecretStr | None) -> None:
    if password is not None and user is None:
        raise ValueError("it belongs to a user: set MASKWATCH_SMTP_USERNAME too, or take it away")
    if user is not None and password is None:
        raise ValueError("it is not set, and MASKWATCH_SMTP_USERNAME is: set both or none")


def _begins_with_tls(implicit_tls: bool | None, port: int | None) -> bool:
    return port == SMTPS_PORT if implicit_tls is None else implicit_tls


def _check_address(text: str) -> str:
    """An address that can stand in a header as it is: ASCII, one line, one ``@``."""
    text = text.strip(" ")
    if not text.isascii():
        raise ValueError(
            f"{text!r} has letters beyond ASCII: write its domain as xn--…; not every mail server "
            "takes a name with such letters, so that alerts must go to another one"
        )
    try:
        address = Address(addr_spec=text)
    except Exception:  # noqa: BLE001 - the standard library's parser has errors of many types
        address = Address()
    if not (address.username and address.domain and text.isascii() and text.isprintable()):
        raise ValueError(f"{text!r} is not an e-mail address")
    return text


class JobSettings(ReportSettings):
    """When jobs run, whom they block, when they alert and where mail goes."""

    schedule: ScheduleGroup = Field(default_factory=ScheduleGroup)
    outliers: OutliersGroup = Field(default_factory=OutliersGroup)
    training: TrainingGroup = Field(default_factory=TrainingGroup)
    learning: LearningGroup = Field(default_factory=LearningGroup)
    blocking: BlockingGroup = Field(default_factory=BlockingGroup)
    mail: MailGroup = Field(default_factory=MailGroup)
    pictures: PicturesGroup = Field(default_factory=PicturesGroup)
    retention: RetentionGroup = Field(default_factory=RetentionGroup)

    @property
    def mail_dir(self) -> Path:
        """Where mails lie when there is no mail server."""
        return self.store.var_dir / "mail"
