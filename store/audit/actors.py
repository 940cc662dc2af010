"""Actors: who changes something, as the audit table names them."""

import os
import pwd


def analyst(name: str) -> str:
    """Somebody who is signed in to the dashboard.

    >>> analyst("ada")
    'analyst:ada'
    """
    return f"analyst:{name}"


def job(name: str) -> str:
    """A scheduled job, also when a command runs it once."""
    return f"job:{name}"


def service(name: str) -> str:
    """A service process, by host and address."""
    return f"service:{name}"


def command_line(user: str) -> str:
    """An account that runs a command on the server."""
    return f"cli:{user}"


def operator() -> str:
    """The account that runs this process: its name, or its number where it has none."""
    user = os.geteuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"
