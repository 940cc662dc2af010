"""What to do about an alert, in the order in which to do it."""

from collections.abc import Mapping

from jobs.alerting.alerts import JOB_FAILED
from jobs.alerting.rules.attacking_client import ATTACKING_CLIENT, MANY_ATTACKING_CLIENTS
from jobs.alerting.rules.disk_low import DISK_LOW
from jobs.alerting.rules.integrity import MODEL_FILE_CHANGED
from jobs.alerting.rules.jobs_standing_still import JOBS_STANDING_STILL
from jobs.alerting.rules.mail_refused import MAIL_REFUSED
from jobs.alerting.rules.recurring_patch import RECURRING_PATCH
from jobs.alerting.rules.spool_in_use import SPOOL_IN_USE
from store.alerts.clock_steps import CLOCK_STEPPED
from store.tables.work_tables import AlertRow, DecisionRow

_ACKNOWLEDGE = "Acknowledge the alert, so that others see that you look after it."
_SIMULATED = (
    "Blocks are simulated: set MASKWATCH_SIMULATE_BLOCKS=false to have them enforced; "
    "`maskwatch doctor` says whom that would hit."
)
_OF_A_JOB = (
    "Mend what the sentence above names, then run `maskwatch jobs run {job}`.",
    "The alert resolves by itself after the next run that succeeds.",
)
_OF_REQUESTS = (
    "Open some of the example requests: is it an attack, or did an honest client change?",
    "Block who attacks, and revoke a block that hits the wrong one, on the blacklist page.",
)
_OF_CLIENTS = (
    "Open some of the example requests: is it an attack? The policy blocks the client by itself.",
    "Is it honest? Allow it on the blacklist page, or revoke its block with a reason: what it "
    "did until then does not count any more.",
    "The alert resolves by itself when it has stopped for the length of the window.",
)
_OF_RULES: Mapping[str, tuple[str, ...]] = {
    ATTACKING_CLIENT: _OF_CLIENTS,
    MANY_ATTACKING_CLIENTS: (
        "Look at the worst clients on the overview: do they come from one network? Then stop it "
        "before it reaches the service.",
        *_OF_CLIENTS[1:],
    ),
    MODEL_FILE_CHANGED: (
        "Did somebody you know replace the model? Then check it with `maskwatch model verify` "
        "and let the service load it: send it SIGHUP, or restart it.",
        "If not, do not restart the service: the running model is still the one that was "
        "loaded. Keep a copy of the changed files, find out who wrote them, put the signed "
        "files back.",
        "The alert resolves by itself when the files match again.",
    ),
    DISK_LOW: (
        "Free the disk of the folder above, or make it larger: what fills it, `du` says. Do not "
        "remove files of the folder by hand.",
        "MASKWATCH_EVIDENCE_QUOTA_MB and MASKWATCH_RETENTION_DAYS say what Maskwatch itself "
        "keeps; `maskwatch jobs run prune` removes what is too old at once.",
        "The alert resolves by itself when there is a quarter more room than the limit.",
    ),
    CLOCK_STEPPED: (
        "Nothing has to be mended in Maskwatch: jobs run by the new time. Find out who set the "
        "clock: a time service that corrected it, a virtual machine that was paused, or somebody?",
        "Records between both times may be dated wrongly, and blocks end earlier or later than "
        "meant: look at the blacklist page.",
        "After a step forward of an hour or more `prune` removes nothing until you acknowledge the "
        "alert: a clock that runs ahead makes every record too old.",
        "The alert resolves by itself when the clock has not stepped for a day.",
    ),
    JOBS_STANDING_STILL: (
        "Restart `maskwatch jobs`: it begins with every job at once, and nothing is lost.",
        "Keep its log from before the restart; the last lines say what held it up.",
        "The alert resolves by itself when a job begins.",
    ),
    SPOOL_IN_USE: (
        "Nothing is lost: the records are on disk in the folder above. Do not remove it.",
        "See that the database runs and has room, and that a service runs on this host: it "
        "moves the records by itself. Its log says what holds it up.",
        "The alert resolves by itself when the spool is empty.",
    ),
    MAIL_REFUSED: (
        "Tell that person yourself about what fires: this mail does not reach them.",
        "Mend the address in MASKWATCH_MAIL_TO or the mailbox, then run `maskwatch doctor --send`.",
        "The alert resolves by itself with the next mail that is taken, or when the receiver is "
        "not in the settings any more.",
    ),
    RECURRING_PATCH: (
        "Look at the patch on the blacklist page. Does somebody wear it on purpose, or is it a "
        "brand? Revoke the block with a reason: it is not listed again.",
        "If people vanish beside it, the model may have a backdoor: compare its digest with "
        "what its makers published, and serve another model until you know.",
        "The alert resolves by itself when no print was listed for a day.",
    ),
}


def next_steps(alert: AlertRow, blocks: Mapping[str, DecisionRow]) -> tuple[str, ...]:
    """Sentences for whoever is on call.

    Args:
        blocks: the active block of each client that the alert names.
    """
    if alert.rule == JOB_FAILED:
        job = str(alert.evidence.get("job"))
        return (_ACKNOWLEDGE, *(step.format(job=job) for step in _OF_A_JOB))
    simulated = alert.evidence.get("simulated") or any(b.simulated for b in blocks.values())
    steps = _OF_RULES.get(alert.rule, _OF_REQUESTS)
    return (_ACKNOWLEDGE, *steps, *((_SIMULATED,) if simulated else ()))
