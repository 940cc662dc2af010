"""Everything that starts Ray, in one file: only one of them runs at a time.

Its processes take many seconds of processor time to start, so there is one Ray for most tests.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from shutil import rmtree
from signal import SIGINT
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import Row, delete, select

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from inference.figures import draw_figure
from jobs.context import JobContext
from jobs.engines.base import Engine, EngineFailed
from jobs.engines.local import LOCAL
from jobs.engines.ray_engine import open_ray
from jobs.outliers.judging import Champion, JudgedBatch
from jobs.outliers.judging_work import Judging
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import scan
from maskwatch.cli import main
from store.requests.unscored import UnscoredRequests
from store.tables.request_tables import ScoreRow
from store.tables.work_tables import OutlierModelRow, ScanRow
from tests.jobs.engines.ray_works import Failing, Shouting
from tests.makers import SECRET
from tests.maskwatch.conftest import parse_once
from tests.waiting import wait_for

# Ray warns of what its own code does.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
_PARTS = [f"part {number}" for number in range(20)]


@pytest.fixture(scope="module")
def short_folder() -> Iterator[Path]:
    """Ray's sockets need one with a short path."""
    folder = Path(mkdtemp(prefix="mw-test-"))
    yield folder
    rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def engine(short_folder: Path) -> Iterator[Engine]:
    """Two actors of one Ray."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            # Ray's processes are known by it; others that tests start must not have it.
            patch.setenv("RAY_TMPDIR", str(short_folder))
            ray = stack.enter_context(open_ray(short_folder, None, 2))
        yield ray
    assert list(short_folder.iterdir()) == []
    wait_for(lambda: processes_of(short_folder) == {})


def processes_of(folder: Path) -> dict[int, str]:
    """Environments of the processes that Ray started with a folder, by process id."""
    environments = dict[int, str]()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_text(errors="replace")
        except OSError:
            continue
        if f"RAY_TMPDIR={folder}" in environment:
            environments[int(entry.name)] = environment
    return environments


def listening_addresses(processes: set[int]) -> set[str]:
    """Addresses on which processes listen, as /proc spells them."""
    sockets = set[str]()
    for process in processes:
        # It may end meanwhile.
        with suppress(OSError):
            for entry in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    sockets.add(str(entry.readlink()))
    lines = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    return {
        line[1].partition(":")[0]
        for line in lines
        if line[3] == "0A" and f"socket:[{line[9]}]" in sockets
    }


def test_a_killed_actor_loses_nothing_and_changes_no_order(engine: Engine, tmp_path: Path) -> None:
    work = Shouting(tmp_path / "mark")
    results = list(engine.run(work, iter(_PARTS)))
    assert (tmp_path / "mark").exists()
    assert results == list(LOCAL.run(work, iter(_PARTS)))


def test_what_cannot_be_done_there_is_said(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"could not go on.*OSError: no such model"):
        list(engine.run(Failing(tmp_path / "mark"), iter(_PARTS[:1])))


def test_it_listens_on_this_machine_alone_and_knows_no_secret(
    engine: Engine, short_folder: Path
) -> None:
    environments = processes_of(short_folder)
    assert environments
    assert not [each for each in environments.values() if SECRET.get_secret_value() in each]
    assert not [each for each in environments.values() if "MASKWATCH_" in each]
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "0" * 24 + "01000000"}
    addresses = listening_addresses(set(environments))
    assert addresses
    assert addresses <= loopback


def make_champion(rows: np.ndarray) -> Champion:
    names = [f"feature {number}" for number in range(rows.shape[1])]
    sources = ["a" * 64] * 1500 + ["b" * 64] * 500
    model = OutlierModel.fit(OutlierKind.COMBINED, rows[:2000], names, 7, sources)
    return Champion(OutlierModelRow(), model, 0.1, 0.01)


def make_batches() -> list[UnscoredRequests]:
    random = np.random.default_rng(3)
    rows = random.normal(size=(30_000, 12)) @ random.normal(size=(12, 12))
    rows[random.random(rows.shape) < 0.02] = np.nan
    rows[::500] += 40
    sources = ("a" * 64, "b" * 64, None) * 10_000
    return [
        UnscoredRequests(
            tuple(range(start + 1, start + 10_001)),
            sources[start : start + 10_000],
            np.arange(10_000) % 700,
            rows[start : start + 10_000],
        )
        for start in range(0, 30_000, 10_000)
    ]


def to_bytes(batch: JudgedBatch) -> tuple[object, ...]:
    arrays = (*vars(batch.scores).values(), batch.values, batch.of_source)
    return tuple(array.tobytes() for array in arrays)


@pytest.mark.usefixtures("few_trees")
def test_two_actors_judge_30000_rows_bit_for_bit_as_one_process(engine: Engine) -> None:
    batches = make_batches()
    work = Judging(make_champion(np.concatenate([batch.rows for batch in batches])))
    here = list(LOCAL.run(work, iter(batches)))
    there = list(engine.run(work, iter(batches)))
    assert list(map(to_bytes, there)) == list(map(to_bytes, here))


_WRITTEN = (
    *(ScoreRow.request_pk, ScoreRow.score, ScoreRow.p_value, ScoreRow.q_value),
    *(ScoreRow.outlier, ScoreRow.contributions),
    *(ScoreRow.calibrated_on, ScoreRow.calibration_rows),
)


def read_scores(context: JobContext) -> list[Row[Any]]:
    with context.database.read() as session:
        return list(session.execute(select(*_WRITTEN).order_by(ScoreRow.request_pk)))


def forget_scans(context: JobContext) -> None:
    with context.database.write() as session:
        session.execute(delete(ScoreRow))
        session.execute(delete(ScanRow))


@pytest.mark.usefixtures("few_trees")
def test_a_scan_writes_what_a_local_scan_writes(
    engine: Engine, context: JobContext, traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.outliers.scan._CHUNK", 10)
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    traffic.wild("ip:198.51.100.9", 3)
    result = scan(context, engine=engine)
    rows = read_scores(context)
    forget_scans(context)
    assert scan(context) == result
    assert read_scores(context) == rows
    assert result.records == len(rows) == 43


@pytest.fixture
def command(short_folder: Path, tmp_path: Path) -> Any:
    """Runs ``maskwatch …`` in a process of its own; gives what it printed."""
    variables = {
        "MASKWATCH_VAR_DIR": str(tmp_path / "var"),
        "RAY_TMPDIR": str(short_folder / "own"),
    }
    (short_folder / "own").mkdir(exist_ok=True)

    def run(*words: str) -> str:
        full = [sys.executable, "-m", "maskwatch", *words]
        ended = subprocess.run(
            full, env=os.environ | variables, check=False, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    yield run
    assert list((short_folder / "own").iterdir()) == []
    wait_for(lambda: processes_of(short_folder / "own") == {})
    (short_folder / "own").rmdir()


def test_rescoring_with_ray_prints_what_the_local_engine_prints(
    command: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for number, picture in enumerate(pictures):
        Pillow.fromarray(draw_figure(11 + number).image).save(picture)
    parse_once(tmp_path, *pictures)
    words = ("rescore", "--since", "1d", "--json")
    there = command(*words, "--engine", "ray", "--actors", "2")
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(sys, "argv", ["maskwatch", *words])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert there == capsys.readouterr().out
    assert there.count("\n") == 3


# Whoever runs the tests in the background may have turned the signal off, which is inherited.
_WAITING = """
import sys
from pathlib import Path
from signal import SIGINT, default_int_handler, signal
from jobs.engines.ray_engine import open_ray
from tests.jobs.engines.ray_works import Waiting

signal(SIGINT, default_int_handler)
mark = Path(sys.argv[1])
with open_ray(mark.parent, None, 1) as engine:
    list(engine.run(Waiting(mark), iter(["a", "b", "c"])))
"""


def test_ctrl_c_leaves_no_process(short_folder: Path, tmp_path: Path) -> None:
    folder, mark = short_folder / "cut", tmp_path / "mark"
    folder.mkdir()
    variables = {"RAY_TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(mark)],
        env=os.environ | variables,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(mark.exists)
        process.send_signal(SIGINT)
        assert process.wait(timeout=120) != 0
    finally:
        process.kill()
        process.wait()
    assert list(folder.iterdir()) == []
    wait_for(lambda: processes_of(folder) == {})
    folder.rmdir()
