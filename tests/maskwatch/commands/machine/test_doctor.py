"""``maskwatch doctor`` says what is there and what is not."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.gate.sandbox.lockdown import Sandbox
from inference.gate.sandbox.pool import DecoderPool
from inference.settings import ServiceSettings
from maskwatch.commands.checks import Check, State, tell_once
from maskwatch.commands.machine.doctor import examine_machine
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.settings import StoreSettings
from tests.inference.segmenters.foreign_models import network, write_model
from tests.maskwatch.conftest import Run
from tests.small_disk import small_disk

_NAMES = [
    "resource limits",
    "seccomp",
    "landlock",
    "picture libraries",
    "face prior",
    "processor",
    "segmenter",
    "model signature",
    "permissions",
    "forwarded headers",
]


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(var_dir=tmp_path / "var")


def _states(settings: ServiceSettings) -> dict[str, State]:
    return {check.name: check.state for check in examine_machine(settings)}


def test_says_what_is_active_and_changes_nothing(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch("doctor")
    assert said.code == 0
    assert all(name in said.out for name in _NAMES)
    assert "seccomp" in said.out
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("flags : fpu amx_bf16 avx2", "ok   processor: amx_bf16, avx2; m2fp computes in bfloat16"),
        ("flags : fpu avx2", "ok   processor: avx2; m2fp computes in float32"),
        ("", "warn processor: The system does not say what it can do; m2fp computes in float32"),
    ],
)
def test_the_processor_and_the_precision_are_said(
    settings: ServiceSettings, claim_processor: Callable[[str], None], line: str, said: str
) -> None:
    claim_processor(line)
    lines = [check.to_text() for check in examine_machine(settings)]
    assert f"{said} on it (MASKWATCH_MODEL_PRECISION=auto)." in lines


def test_reading_the_processor_takes_no_torch() -> None:
    asked = "import sys, inference.segmenters.processor; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)


def test_a_missing_model_fails_and_the_others_are_still_looked_at(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_MODEL", "gone.onnx")
    said = maskwatch("doctor")
    assert said.code == 1
    assert "FAIL segmenter" in said.out
    assert "gone.onnx" in said.out
    assert "database" in said.out


def test_a_model_that_nobody_vouches_for_fails_or_is_a_warning_where_it_is_allowed(
    settings: ServiceSettings, tmp_path: Path
) -> None:
    assert _states(settings)["model signature"] is State.OK
    folder = str(write_model(tmp_path / "foreign", network()))
    unsigned = settings.model_copy(update={"segmenter": "onnx", "model": folder})
    assert _states(unsigned)["segmenter"] is State.FAIL
    lax = unsigned.model_copy(update={"require_signed_model": False})
    assert _states(lax)["segmenter"] is State.OK
    assert _states(lax)["model signature"] is State.WARN
    lines = [check.to_text() for check in examine_machine(lax)]
    assert any("MASKWATCH_REQUIRE_SIGNED_MODEL=false lets it serve." in line for line in lines)


def test_a_database_behind_the_program_fails(settings: ServiceSettings) -> None:
    database = Database.open(StoreSettings(var_dir=settings.store.var_dir))
    upgrade(database)
    assert _states(settings)["database"] is State.OK
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    assert _states(settings)["database"] is State.FAIL


BROKEN = {
    "DATABASE_URL": (
        "mysql://user@host/name",
        "database",
        "disk, permissions, SQLite, sources, blocks, jobs",
    ),
    "DATABASE_PORT": ("1", "database", "sources, blocks, jobs"),
    "VAR_DIR": ("a_file", "var folder", "database"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_thing_is_said_once_and_what_could_not_be_looked_at_for_it(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    value, first, others = BROKEN[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKWATCH_LEARN_TRAFFIC")
    Path("a_file").touch()
    if name == "DATABASE_PORT":
        monkeypatch.setenv("MASKWATCH_DATABASE_HOST", "127.0.0.1")
    monkeypatch.setenv(f"MASKWATCH_{name}", value)
    said = maskwatch("doctor")
    assert said.code == 1
    failures = [line for line in said.out.splitlines() if line.startswith("FAIL")]
    assert len(failures) == 2
    assert failures[0].startswith(f"FAIL {first}: ")
    assert failures[1] == (
        f"FAIL {others}: Not looked at, because of what is said of {first} above."
    )
    assert "Errno" not in said.out


def test_failures_for_different_reasons_are_all_said() -> None:
    checks = [
        Check("one", State.WARN, "It is broken."),
        Check("two", State.FAIL, "It is broken."),
        Check("three", State.FAIL, "It is gone."),
        Check("four", State.FAIL, "It is broken."),
    ]
    *said, last = tell_once(checks)
    assert said == checks[:3]
    assert (last.name, last.state) == ("four", State.FAIL)
    assert last.sentence.endswith("what is said of two above.")


def test_a_folder_that_others_can_enter_is_a_warning(settings: ServiceSettings) -> None:
    settings.store.var_dir.mkdir(mode=0o700)
    assert _states(settings)["var folder"] is State.OK
    settings.store.var_dir.chmod(0o755)
    assert _states(settings)["var folder"] is State.WARN


def test_a_disk_with_little_room_is_a_warning(settings: ServiceSettings) -> None:
    assert _states(settings)["disk"] is State.OK
    greedy = settings.model_copy(update={"min_free_disk_mb": 10_000_000_000})
    assert _states(greedy)["disk"] is State.WARN


def test_an_anchor_beside_the_database_is_a_warning(
    settings: ServiceSettings, tmp_path: Path
) -> None:
    assert _states(settings)["audit anchor"] is State.OK
    anchored = settings.model_copy(update={"audit_anchor_file": tmp_path / "anchors"})
    assert _states(anchored)["audit anchor"] is State.FAIL
    (tmp_path / "anchors").touch()
    assert _states(anchored)["audit anchor"] is State.WARN
    with small_disk(tmp_path / "other") as disk:
        (disk / "anchors").touch()
        apart = settings.model_copy(update={"audit_anchor_file": disk / "anchors"})
        assert _states(apart)["audit anchor"] is State.OK


def test_files_that_others_may_read_are_a_warning(settings: ServiceSettings) -> None:
    assert _states(settings)["permissions"] is State.OK
    database = Database.open(StoreSettings(var_dir=settings.store.var_dir))
    upgrade(database)
    database.close()
    assert _states(settings)["permissions"] is State.OK
    (settings.store.var_dir / "maskwatch.db").chmod(0o644)
    assert _states(settings)["permissions"] is State.WARN


@pytest.mark.parametrize(("required", "state"), [(False, State.WARN), (True, State.FAIL)])
def test_a_kernel_without_a_sandbox_is_said(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, required: bool, state: State
) -> None:
    """The one thing that this machine cannot show: a kernel that lacks them."""
    start = DecoderPool.__init__

    def started(self: DecoderPool, *arguments: object) -> None:
        start(self, *arguments)  # type: ignore[arg-type]
        self.sandbox = Sandbox(limits=True, seccomp=False, landlock=0)

    monkeypatch.setattr(DecoderPool, "__init__", started)
    states = _states(settings.model_copy(update={"require_sandbox": required}))
    assert states["resource limits"] is State.OK
    assert states["seccomp"] is states["landlock"] is state


def test_the_switch_to_enforced_blocks_says_whom_it_will_hit(
    settings: ServiceSettings, attacked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        return next(c.sentence for c in examine_machine(settings) if c.name == "blocks")

    assert said().startswith(f"Simulated. Enforced now, they would hit: {attacked} (4 crafted ")
    monkeypatch.setenv("MASKWATCH_SIMULATE_BLOCKS", "false")
    assert said().startswith(f"Enforced. The next `decide` blocks: {attacked} (4 crafted ")


def test_where_nothing_is_learnt_no_source_is_said_to_learn(settings: ServiceSettings) -> None:
    given = settings.model_copy(update={"learn_traffic": False})
    assert _states(given)["sources"] is State.OK
    assert "sources" not in _states(settings.model_copy(update={"learn_traffic": True}))


def test_without_records_enforced_blocks_hit_nobody(settings: ServiceSettings) -> None:
    settings.store.var_dir.mkdir(mode=0o700)
    assert _states(settings)["blocks"] is State.OK
