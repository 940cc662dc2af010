"""Doctor looks at the service behind a proxy in place of a model of its own."""

import socket
from pathlib import Path

import pytest

from inference.settings import ProxySettings
from maskwatch.commands.checks import State
from maskwatch.commands.machine.doctor import examine_machine
from maskwatch.commands.machine.upstream_check import check_upstream
from store.settings import load_settings
from tests.ports import reserved_port


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(
        'name = "own"\napplies_exif = false\n[labels]\nnames = ["background", "hair", "tail"]\n'
        '[[doors]]\nname = "parse"\nkind = "picture"\npaths = ["/parse"]\n'
        '[[doors.places]]\nbody = "raw"\n'
    )
    return file


def _settings(tmp_path: Path, port: int, preset: Path) -> ProxySettings:
    url = f"http://127.0.0.1:{port}"
    return load_settings(ProxySettings, var_dir=tmp_path / "v", upstream=url, preset=str(preset))


def test_a_service_that_listens_and_a_label_that_nobody_knows(tmp_path: Path, preset: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = _settings(tmp_path, server.getsockname()[1], preset)
        checks = list(examine_machine(settings))
    lines = [(check.name, check.state, check.sentence) for check in checks]
    assert "segmenter" not in {name for name, _, _ in lines}
    said = [line for line in lines if line[0] in {"upstream", "preset"}]
    assert [state for _, state, _ in said] == [State.OK, State.OK, State.WARN]
    assert "own, 1 door for pictures." in said[1][2]
    assert "tail" in said[2][2]


def test_a_service_that_is_away_is_a_warning(tmp_path: Path, preset: Path) -> None:
    with reserved_port() as port:
        checks = list(examine_machine(_settings(tmp_path, port, preset)))
    (check,) = [each for each in checks if each.name == "upstream"]
    assert (check.state, "start it" in check.sentence) == (State.WARN, True)


def test_a_preset_that_there_is_not_fails(tmp_path: Path) -> None:
    settings = _settings(tmp_path, 9, tmp_path / "none.toml")
    states = {check.state for check in examine_machine(settings) if check.name == "upstream"}
    assert State.FAIL in states


@pytest.mark.parametrize(("preset", "is_asked"), [("gradio", False), ("form", True), ("hf", True)])
def test_a_service_that_is_not_asked_again_is_named(
    tmp_path: Path, preset: str, is_asked: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = _settings(tmp_path, server.getsockname()[1], Path(preset))
        said = {check.name: check.sentence for check in check_upstream(settings)}
    assert ("looks" in said) is not is_asked
    assert is_asked or "no picture is called crafted" in said["looks"]
