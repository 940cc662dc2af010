"""The name that this host gives to a mail server (EHLO)."""

import re
from socket import getfqdn

from jobs.settings import MailGroup

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_WITH_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!localdomain|arpa)[a-z]{_LABEL}", re.IGNORECASE)


def choose_greeting(mail: MailGroup) -> str | None:
    """The name of the settings, this host's with its domain, or the domain of the sender.

    Returns:
        ``None`` if there is none of them. smtplib then gives the host's address, as RFC 5321 wants
        it; many servers refuse that.
    """
    if mail.smtp_helo_name is not None:
        return mail.smtp_helo_name
    names = (getfqdn(), mail.mail_from.rpartition("@")[2])
    return next((name for name in names if _WITH_DOMAIN.fullmatch(name)), None)
