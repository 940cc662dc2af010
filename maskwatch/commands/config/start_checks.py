"""What a start would stumble over, beyond each value by itself.

These are checks of the processes themselves, as far as they open no connection and make no file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dashboard.settings import DashboardSettings
from detectors.errors import MaskwatchError
from inference.hosting import check_model
from inference.salt import find_salt
from inference.settings import ProxySettings, ServiceSettings
from inference.upstream.presets.preset_files import load_preset
from inference.wiring import build_reader
from jobs.settings import JobSettings
from maskwatch.listener import check_ports
from store.audit.anchors import last_anchor
from store.engine.places import check_place
from store.models.signing_keys import check_private_key, read_public_key
from store.settings import StoreSettings, load_settings


@dataclass(frozen=True)
class StartCheck:
    """One thing that a start needs.

    Attributes:
        run: raises a :class:`MaskwatchError` if it is not as it has to be.
        variable: of the setting that is to blame, where the error does not say it.
    """

    run: Callable[[], object]
    variable: str = ""

    def find_fault(self) -> str | None:
        """What is wrong, in one sentence."""
        try:
            self.run()
        except MaskwatchError as error:
            blame = f"The setting {self.variable} is not usable. " if self.variable else ""
            return f"{blame}{error}"
        return None


def find_start_faults(settings: StoreSettings) -> list[str]:
    """One sentence for each thing that would stop a process with these settings, or a job of it."""
    faults = (check.find_fault() for check in _list_checks(settings))
    return [fault for fault in faults if fault is not None]


def _list_checks(settings: StoreSettings) -> Iterator[StartCheck]:
    place = StartCheck(partial(check_place, settings))
    # The settings of the proxy are those of the service too: each thing is looked at once.
    if isinstance(settings, ProxySettings):
        yield from _list_proxy_checks(settings)
    elif isinstance(settings, ServiceSettings):
        yield from _until_fault(place, StartCheck(partial(find_salt, settings)))
        yield from _list_service_checks(settings)
    elif isinstance(settings, JobSettings):
        yield place
        yield from _list_job_checks(settings)
    elif isinstance(settings, DashboardSettings):
        yield place
        yield StartCheck(partial(_check_ports, settings))


def _until_fault(*checks: StartCheck) -> Iterator[StartCheck]:
    """Checks of which a later one would only repeat what an earlier one found."""
    for check in checks:
        yield check
        if check.find_fault() is not None:
            return


def _list_service_checks(settings: ServiceSettings) -> Iterator[StartCheck]:
    yield StartCheck(settings.looks.read_baselines)
    yield from _until_fault(
        StartCheck(
            partial(load_preset, settings.observe.observe_preset), "MASKWATCH_OBSERVE_PRESET"
        ),
        StartCheck(partial(build_reader, settings)),
    )
    yield _check_keys(settings.outliers.outlier_model_keys, "MASKWATCH_OUTLIER_MODEL_KEYS")


def _list_proxy_checks(settings: ProxySettings) -> Iterator[StartCheck]:
    yield StartCheck(partial(load_preset, settings.attach.preset), "MASKWATCH_PRESET")
    if not settings.relay.upstream:
        yield from _until_fault(
            _check_keys(settings.parsing.model_keys, "MASKWATCH_MODEL_KEYS"),
            StartCheck(partial(check_model, settings)),
        )


def _list_job_checks(settings: JobSettings) -> Iterator[StartCheck]:
    yield _check_keys(settings.outliers.outlier_model_keys, "MASKWATCH_OUTLIER_MODEL_KEYS")
    key, anchors = settings.training.outlier_signing_key, settings.audit.audit_anchor_file
    if key is not None:
        yield StartCheck(partial(check_private_key, key, None), "MASKWATCH_OUTLIER_SIGNING_KEY")
    if anchors is not None:
        yield StartCheck(partial(last_anchor, anchors), "MASKWATCH_AUDIT_ANCHOR_FILE")


def _check_keys(keys: tuple[Path, ...], variable: str) -> StartCheck:
    return StartCheck(lambda: [read_public_key(key) for key in keys], variable)


def _check_ports(settings: DashboardSettings) -> None:
    service, pages = load_settings(ServiceSettings).service, settings.dashboard
    check_ports((service.host, service.port), (pages.dashboard_host, pages.dashboard_port))
