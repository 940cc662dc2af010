"""The demo's processes get an environment of their own."""

import os

import pytest
from rich.console import Console

from maskwatch import supervisor
from maskwatch.demo.command import run_demo


def test_the_demos_processes_keep_all_but_the_settings_of_a_real_installation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"PATH": os.environ["PATH"], "TZ": "UTC", "MASKWATCH_SMTP_HOST": "mail.example.org"}
    seen: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", given)
    monkeypatch.setattr(supervisor, "run", lambda demo, _play: seen.update(demo.environment))
    run_demo(Console(quiet=True), stay=False)
    assert (seen["PATH"], seen["TZ"]) == (os.environ["PATH"], "UTC")
    assert seen["MASKWATCH_SIMULATE_BLOCKS"] == "false"
    assert "MASKWATCH_SMTP_HOST" not in seen
