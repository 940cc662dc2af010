"""How the dashboard looks: one accent, one colour per verdict, and nothing of the framework."""

from pathlib import Path
from typing import Any

from streamlit import config

from detectors.verdict import Verdict

ACCENT = "#1F5FBF"
INK, QUIET, LINE, GROUND = "#1D2939", "#667085", "#E4E7EC", "#F6F7F9"
# Amber that can be read on white.
AMBER_INK = "#8A5A00"

# Apart in lightness as well as in hue, so that they stay apart for colour-blind readers.
VERDICT_COLOURS: dict[Verdict, str] = {
    Verdict.PASS: "#7DBFA7",
    Verdict.FLAG: "#E69F00",
    Verdict.REFUSE: "#B42318",
}

STYLE_SHEET = Path(__file__).parent / "assets" / "style.css"
ICON = Path(__file__).parent / "assets" / "icon.svg"
LOGO = Path(__file__).parent / "assets" / "logo.svg"

_OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "theme.base": "light",
    "theme.primaryColor": ACCENT,
    "theme.backgroundColor": "#FFFFFF",
    "theme.secondaryBackgroundColor": GROUND,
    "theme.textColor": INK,
    "theme.linkColor": ACCENT,
    "theme.linkUnderline": False,
    "theme.borderColor": LINE,
    "theme.baseFontSize": 15,
    "theme.baseRadius": "8px",
    "theme.showWidgetBorder": True,
    "theme.headingFontSizes": ["1.6rem", "1.25rem", "1.05rem"],
    "theme.headingFontWeights": [650, 600, 600],
    "theme.sidebar.backgroundColor": "#101828",
    "theme.sidebar.secondaryBackgroundColor": "#1D2939",
    "theme.sidebar.textColor": "#E4E7EC",
    "theme.sidebar.borderColor": "#344054",
    "theme.sidebar.linkColor": "#B2CCFF",
}


def apply(public_url: str) -> None:
    """Set Streamlit's options for this process, whatever files or variables say."""
    for name, value in _OPTIONS.items():
        config.set_option(name, value, "Maskwatch")
    config.set_option("server.corsAllowedOrigins", [public_url], "Maskwatch")
