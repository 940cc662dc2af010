"""Settings that tests begin with: nothing depends on what else the machine does meanwhile."""

from tests.makers import SECRET

_SECONDS = (
    "BODY",
    "DATABASE_WAIT",
    "DECODE",
    "HEADER",
    "MAX_WAIT",
    "MIN_WAIT",
    "READ_TIMEOUT",
    "RECORD_QUEUE",
    "SEND",
    "START_CHECK",
    "UPSTREAM_CONNECT",
    "UPSTREAM_LOOK",
    "UPSTREAM_WAIT",
)
DEFAULTS = {
    # No limit of time is reached but in the tests of that limit, which set it.
    **{f"MASKWATCH_{name}_SECONDS": "60" for name in _SECONDS},
    "MASKWATCH_ENSEMBLE_BUDGET": "1",
    "MASKWATCH_ENSEMBLE_BUSY_BUDGET": "1",
    "MASKWATCH_ENSEMBLE_MAX_MS": "600000",
    # Which changes a look makes is drawn with this secret.
    "MASKWATCH_FINGERPRINT_SALT": SECRET.get_secret_value(),
    # What judges pictures does so from the first one on, in tests that are not about learning it.
    "MASKWATCH_LEARN_TRAFFIC": "false",
}
"""Variables of the environment, also for the processes that tests start."""
