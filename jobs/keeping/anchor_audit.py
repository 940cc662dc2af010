"""The job ``anchor_audit``: keep the head of the audit chain where the database's owner is not."""

import os
import socket
from pathlib import Path
from typing import Any

from detectors.errors import MaskwatchError
from jobs.context import JobContext, JobOutcome, Skipped
from store.audit.anchors import Anchor, last_anchor
from store.audit.audit_log import audit_head, hash_of_row
from store.models.loaded_models import this_host

# Facility authpriv, severity info.
_PRIORITY = 10 * 8 + 6


class ChainCut(MaskwatchError):
    """The chain does not have a row that was anchored."""


class AnchorFailed(MaskwatchError):
    """An anchor could not be written."""

    retryable = True


def run(context: JobContext) -> JobOutcome:
    """See that the last anchor still holds, then write down the newest row.

    Raises:
        AnchorsUnusable: the file of anchors cannot be read.
        ChainCut: the anchored row is gone or another one. Nothing is written, so that it is said
            again until somebody looks.
        AnchorFailed: a place takes no anchor.
    """
    audit = context.settings.audit
    if audit.audit_anchor_file is None and audit.audit_anchor_syslog is None:
        raise Skipped(
            "The audit chain is anchored nowhere: set MASKWATCH_AUDIT_ANCHOR_FILE or "
            "MASKWATCH_AUDIT_ANCHOR_SYSLOG, or nobody sees that its end was cut off."
        )
    last = None if audit.audit_anchor_file is None else last_anchor(audit.audit_anchor_file)
    with context.database.read() as session:
        head = audit_head(session)
        if last is not None and hash_of_row(session, last.sequence) != last.own_hash:
            raise ChainCut(
                f"Row {last.sequence} of the audit was anchored and is gone or another one: run "
                "`maskwatch audit verify --anchor FILE`. After a restore from a backup begin a new "
                "file of anchors, and keep the old one."
            )
    if head is None:
        raise Skipped("The audit chain is empty: there is nothing to anchor.")
    _write(context, head, is_new=head != last)
    return JobOutcome(f"Row {head.sequence} of the audit is anchored.", 1)


def _write(context: JobContext, head: Anchor, *, is_new: bool) -> None:
    audit, line = context.settings.audit, head.to_line(context.now, this_host())
    if audit.audit_anchor_file is not None and is_new:
        append_anchor(audit.audit_anchor_file, line)
    if audit.audit_anchor_syslog is not None:
        # Every time, also the same: the log also shows that somebody looked.
        send_to_syslog(audit.audit_anchor_syslog, line)


def append_anchor(file: Path, line: str) -> None:
    """Append a line durably to a file that is there: one that is made would hide a missing disk.

    Raises:
        AnchorFailed: it cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(descriptor, "ab") as opened:
            opened.write(f"{line}\n".encode())
            opened.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise AnchorFailed(
            f"The anchor cannot be written to {file}: {error.strerror}. Mount its disk, free it, "
            "or set MASKWATCH_AUDIT_ANCHOR_FILE to another file that is there."
        ) from error


def send_to_syslog(place: str, line: str) -> None:
    """Send a line to the system's log: a socket's path, or ``host:port`` for UDP.

    Raises:
        AnchorFailed: nobody takes it there. Of UDP nobody knows whether it arrived.
    """
    try:
        family, address = _address(place)
        with socket.socket(family, socket.SOCK_DGRAM) as log:
            log.connect(address)
            log.send(f"<{_PRIORITY}>maskwatch: {line}".encode())
    except (OSError, OverflowError) as error:
        raise AnchorFailed(
            f"The anchor cannot be sent to the system log {place}: {error}. "
            "Correct MASKWATCH_AUDIT_ANCHOR_SYSLOG, or see that the log runs."
        ) from error


def _address(place: str) -> tuple[int, Any]:
    if place.startswith("/"):
        return socket.AF_UNIX, place
    host, _, port = place.rpartition(":")
    addresses = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    return addresses[0][0], addresses[0][4]
