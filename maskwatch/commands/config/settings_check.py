"""``maskwatch config check``: whether all settings can be used, and what may not be meant."""

import os
from datetime import UTC, datetime

from detectors.errors import MaskwatchError
from inference.admission.admission_settings import AdmissionGroup
from inference.settings import ServiceSettings
from jobs.commands import preview_blocks
from jobs.settings import JobSettings
from maskwatch.commands.config.start_checks import find_start_faults
from maskwatch.environment import ALL_SETTINGS, all_settings, check_names
from store.configuration.names import SettingsError
from store.configuration.secret_files import is_read_by_all
from store.configuration.sources import find_values
from store.settings import load_settings


def find_problems() -> list[str]:
    """One sentence for each thing that would stop a process, of whichever kind."""
    sentences = list[str]()
    try:
        check_names()
    except SettingsError as error:
        sentences += error.sentences
    for cls in ALL_SETTINGS:
        try:
            sentences += find_start_faults(load_settings(cls))
        except SettingsError as error:
            sentences += error.sentences
    return list(dict.fromkeys(sentences))


def find_notes() -> list[str]:
    """Sentences about what works, and may still not be meant.

    Raises:
        SettingsError: a setting cannot be used.
    """
    return [
        *_list_notes_on_secrets(),
        *_list_notes_on_certificates(),
        *_list_notes_on_waits(load_settings(ServiceSettings).admission),
        *_list_notes_on_blocks(load_settings(JobSettings)),
    ]


def _list_notes_on_secrets() -> list[str]:
    sources = find_values(all_settings(), os.environ).values()
    files = [each.secret_file for each in sources if each.secret_file is not None]
    return [
        f"Every user of this machine who reaches {path} may read the secret in it."
        for path in files
        if is_read_by_all(path)
    ]


def _list_notes_on_certificates() -> list[str]:
    """A file of the system's that is not there: OpenSSL says nothing, and trusts nobody."""
    file = os.environ.get("SSL_CERT_FILE", "")
    if not file or os.access(file, os.R_OK, effective_ids=True):
        return []
    return [
        f"The file {file} that SSL_CERT_FILE names is missing, or this user may not read it: no "
        "certificate of a mail server or an upstream is trusted then."
    ]


def _list_notes_on_waits(admission: AdmissionGroup) -> list[str]:
    """A shortest wait that somebody set, and that is never reached."""
    shortest, longest = admission.min_wait_seconds, admission.max_wait_seconds
    if "min_wait_seconds" not in admission.model_fields_set or shortest <= longest:
        return []
    return [
        f"MASKWATCH_MIN_WAIT_SECONDS ({shortest:g}) is above MASKWATCH_MAX_WAIT_SECONDS "
        f"({longest:g}), which wins: no upload waits longer than {longest:g} s."
    ]


def _list_notes_on_blocks(settings: JobSettings) -> list[str]:
    """Whom enforced blocks will hit; nobody yet where there is no database."""
    if settings.blocking.simulate_blocks:
        return []
    try:
        return preview_blocks(settings, datetime.now(UTC)).describe_hits()
    except MaskwatchError as error:
        return [f"Whom enforced blocks will hit cannot be said: {error}"]
