"""``maskwatch config check``: what a start would stumble over, in the words of the start."""

from pathlib import Path

import pytest

from tests.maskwatch.conftest import Run

FILE_AS_FOLDER = {"VAR_DIR": "a_file"}
FOLDER_AS_FILE = {"DATABASE_URL": "sqlite:///a_folder"}
OTHER_DATABASE = {"DATABASE_URL": "mysql://user@host/name"}
NO_CERTIFICATE = {"DATABASE_URL": "postgresql://h/d?sslmode=verify-full&sslrootcert=gone.pem"}
NO_BASELINE = {"BASELINE": "gone.json"}
NO_MODEL = {"MODEL": "gone.onnx"}
NO_FOLDER = {"SEGMENTER": "onnx", "MODEL": "gone"}
SHORT_SALT = {"VAR_DIR": "short_salt"}

BY_SERVICE = (NO_BASELINE, NO_MODEL, NO_FOLDER, SHORT_SALT)
BY_ALL = (FILE_AS_FOLDER, FOLDER_AS_FILE, OTHER_DATABASE, NO_CERTIFICATE)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with what the settings of these tests name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKWATCH_FINGERPRINT_SALT")
    (tmp_path / "a_file").touch()
    for name in ("a_folder", "short_salt"):
        (tmp_path / name).mkdir()
    (tmp_path / "a_folder" / "private.txt").touch(0o644)
    (tmp_path / "short_salt" / "fingerprint.salt").write_bytes(b"short")
    return tmp_path


def _set(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"MASKWATCH_{name}", value)


def _list_files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("settings", BY_ALL, ids="-".join)
def test_check_says_what_jobs_and_dashboard_say_at_their_start(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, folder: Path, settings: dict[str, str]
) -> None:
    _set(monkeypatch, settings)
    files = _list_files(folder)
    check = maskwatch("config", "check")
    assert check.code == 1
    assert len(check.err.splitlines()) == 1
    for process in ("jobs", "dashboard"):
        start = maskwatch(process)
        assert (start.code, start.err) == (1, check.err)
    assert _list_files(folder) == files


@pytest.mark.parametrize("settings", BY_SERVICE, ids="-".join)
def test_check_says_what_a_service_says_at_its_start(
    maskwatch: Run,
    monkeypatch: pytest.MonkeyPatch,
    look: Path,
    settings: dict[str, str],
) -> None:
    _set(monkeypatch, settings)
    check = maskwatch("config", "check")
    assert check.code == 1
    start = maskwatch("parse", str(look))
    assert start.code == 1
    assert start.err.splitlines()[-1:] == check.err.splitlines()


KEYS_AND_PRESETS = {
    "MODEL_KEYS": "gone.pem",
    "OUTLIER_MODEL_KEYS": "gone.pem",
    "OUTLIER_SIGNING_KEY": "gone.pem",
    "AUDIT_ANCHOR_FILE": "gone.log",
    "PRESET": "gone.toml",
    "OBSERVE_PRESET": "no_such",
}


def test_check_names_each_setting_whose_file_is_missing(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, KEYS_AND_PRESETS)
    said = maskwatch("config", "check").err.splitlines()
    assert len(said) == len(KEYS_AND_PRESETS)
    for name, value in KEYS_AND_PRESETS.items():
        assert [line for line in said if f"MASKWATCH_{name} " in line and value in line], name


def test_an_upstream_takes_the_place_of_the_model(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, {**NO_MODEL, "UPSTREAM": "http://127.0.0.1:5000"})
    assert maskwatch("config", "check").code == 0


def test_check_neither_connects_nor_downloads_nor_makes_anything(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    files = _list_files(folder)
    assert maskwatch("config", "check").code == 0
    server = "postgresql://nobody@host.invalid/name"
    _set(monkeypatch, {"DATABASE_URL": server, "SEGMENTER": "m2fp", "UPSTREAM": "http://[::1]:9"})
    assert maskwatch("config", "check").code == 0
    monkeypatch.delenv("MASKWATCH_UPSTREAM")
    said = maskwatch("config", "check")
    # Without its packages m2fp does not start, which is said; with them it would be downloaded.
    assert "needs torch" in said.err or said.code == 0
    assert _list_files(folder) == files


def test_one_port_for_service_and_dashboard_is_refused(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, {"PORT": "18080", "DASHBOARD_PORT": "18080"})
    check, start = maskwatch("config", "check"), maskwatch("up")
    assert check.code == start.code == 1
    assert check.err == start.err
    assert "both listen on 127.0.0.1:18080: set MASKWATCH_PORT or" in check.err


def test_sides_that_no_picture_has_are_refused(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, {"MIN_SIDE": "500", "MAX_SIDE": "499"})
    said = maskwatch("config", "check")
    assert said.code == 1
    assert "MASKWATCH_MAX_SIDE is not usable: it must not be below MASKWATCH_MIN_SIDE" in said.err
    monkeypatch.setenv("MASKWATCH_MAX_SIDE", "500")
    assert maskwatch("config", "check").code == 0


def test_check_notes_a_shortest_wait_that_is_never_reached(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, {"MIN_WAIT_SECONDS": "20", "MAX_WAIT_SECONDS": "1"})
    said = maskwatch("config", "check")
    assert said.code == 0
    assert "Note: MASKWATCH_MIN_WAIT_SECONDS (20) is above" in said.out
    monkeypatch.delenv("MASKWATCH_MIN_WAIT_SECONDS")
    monkeypatch.setenv("MASKWATCH_MAX_WAIT_SECONDS", "0")
    assert "Note" not in maskwatch("config", "check").out


def test_check_notes_certificates_that_are_missing(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "gone.pem")
    assert "Note: The file gone.pem that SSL_CERT_FILE names" in maskwatch("config", "check").out
    monkeypatch.setenv("SSL_CERT_FILE", "a_file")
    assert "Note" not in maskwatch("config", "check").out
