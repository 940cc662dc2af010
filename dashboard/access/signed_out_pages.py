"""Small pages for people who are not signed in."""

from markupsafe import Markup
from starlette.responses import HTMLResponse

_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title} · Maskwatch</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f6f7f9;
  color: #1d2939; font: 16px/1.55 system-ui, "Segoe UI", "Source Sans 3", sans-serif; }}
main {{ max-width: 28rem; margin: 1.5rem; padding: 2.25rem 2.5rem; background: #fff;
  border: 1px solid #e4e7ec; border-radius: 12px; }}
.name {{ font-size: .8rem; font-weight: 600; letter-spacing: .08em; text-transform: uppercase;
  color: #1f5fbf; }}
h1 {{ margin: .4rem 0 .75rem; font-size: 1.4rem; line-height: 1.3; }}
p {{ margin: 0 0 .75rem; color: #475467; }}
code {{ display: block; padding: .6rem .8rem; background: #f2f4f7; border-radius: 6px;
  color: #1d2939; font: .9rem/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }}
</style>
</head>
<body><main><div class="name">Maskwatch</div><h1>{title}</h1>{body}</main></body>
</html>""")

_NEW_LINK = Markup(
    "<p>For a new link, run this on the server, or restart <b>maskwatch dashboard</b>:</p>"
    "<code>maskwatch dashboard-link</code>"
)


def sign_in_needed() -> HTMLResponse:
    """For a browser without a session."""
    body = Markup("<p>The dashboard opens with a one-time link that works for a short while.</p>")
    return _notice(401, "Please sign in", body + _NEW_LINK)


def link_used_up() -> HTMLResponse:
    """For a token that is unknown, used or too old."""
    body = Markup("<p>Each link signs in one browser, once, and only for a short while.</p>")
    return _notice(401, "This link does not work any more", body + _NEW_LINK)


def sign_out_notice() -> HTMLResponse:
    """After signing out."""
    return _notice(200, "You are signed out", Markup("<p>You can close this tab.</p>") + _NEW_LINK)


def wrong_host() -> HTMLResponse:
    """For a ``Host`` header that is not the dashboard's."""
    body = Markup(
        "<p>The dashboard does not answer to this host name. Use the address that "
        "<b>maskwatch dashboard</b> printed, or set MASKWATCH_DASHBOARD_URL.</p>"
    )
    return _notice(421, "Wrong address", body)


def store_away(sentence: str) -> HTMLResponse:
    """While the database cannot be used."""
    return _notice(503, "The database is away", Markup("<p>{}</p>").format(sentence))


def _notice(status: int, title: str, body: Markup) -> HTMLResponse:
    page = _PAGE.format(title=title, body=body)
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})
