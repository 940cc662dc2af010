"""What a process imports is part of its cost: each starts in a fresh Python, as users start it."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.catalogue import JOBS
from maskwatch.listener import listen

# Libraries of networks: 400 MB and seconds each.
NETWORKS = ("torch", "torchvision", "modelscope", "transformers", "timm", "onnxruntime")
# What a training or an export loads when it is needed.
TRAINING = ("sklearn", "scipy.stats", "pandas", "pyarrow")

_ROOT = Path(__file__).parents[2]
_LOOK = """
import importlib, sys
for name in sys.argv[1].split():
    importlib.import_module(name)
print(*sys.modules)
"""


def _modules_under(folder: str, *left_out: str) -> list[str]:
    paths = sorted((_ROOT / folder).rglob("*.py"))
    names = [".".join(path.relative_to(_ROOT).with_suffix("").parts) for path in paths]
    names = [name.removesuffix(".__init__") for name in names]
    return [name for name in names if not name.startswith(left_out)]


def _loaded_by(code: str, *words: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return set(ended.stdout.split())


def _imported_with(*names: str) -> set[str]:
    loaded = _loaded_by(_LOOK, " ".join(names))
    assert loaded >= set(names)
    return loaded


def test_settings_load_no_network_and_no_training() -> None:
    packages = ("inference", "jobs", "store", "dashboard")
    loaded = _imported_with(*(f"{package}.settings" for package in packages))
    assert loaded.isdisjoint({*NETWORKS, *TRAINING, "scipy"})


def test_the_help_of_the_command_line_loads_no_network_and_no_training() -> None:
    # `main` ends the process: what it loaded is printed when it does.
    code = (
        "import atexit, sys; from maskwatch.cli import main; "
        "atexit.register(lambda: print(*sys.modules)); sys.argv = ['maskwatch', '--help']; main()"
    )
    loaded = _loaded_by(code)
    assert "maskwatch.cli" in loaded
    assert loaded.isdisjoint({*NETWORKS, *TRAINING, "scipy", "cv2", "streamlit"})
    assert loaded.isdisjoint({"numpy", "sqlalchemy"})


def test_jobs_load_no_network_and_no_training_until_they_train() -> None:
    loaded = _imported_with("maskwatch.cli", "jobs.scheduler", *_modules_under("jobs"))
    assert loaded >= {job.run.__module__ for job in JOBS}
    assert loaded.isdisjoint({*NETWORKS, *TRAINING})


def test_the_dashboard_loads_no_network() -> None:
    # Streamlit runs the script and the views; uvicorn runs the server.
    loaded = _imported_with("maskwatch.cli", *_modules_under("dashboard", "dashboard.main"))
    assert "streamlit" in loaded
    assert loaded.isdisjoint({*NETWORKS, "sklearn", "scipy"})


def test_what_all_processes_share_loads_no_network() -> None:
    modules = [*_modules_under("store"), *_modules_under("detectors")]
    assert _imported_with(*modules).isdisjoint(NETWORKS)


# The service hosts a network; whatever of it does without one is not in this list.
HOSTING = (
    *("inference.segmenters", "inference.hosting", "inference.models", "inference.rescoring"),
    *("inference.service", "inference.http.app", "inference.http.server"),
)
# What knows of the service, and so of the outlier model, but loads a network only to host one.
SERVING = (
    *("inference.service", "inference.wiring", "inference.observing"),
    *("inference.proxying", "inference.proxy_wiring"),
    *("inference.http.admit", "inference.http.decide", "inference.http.observe"),
    *("inference.http.sender", "inference.http.proxy"),
)
# Commands that build a service, those that read a model's files, and one that loads the jobs.
HEAVY_COMMANDS = (
    *(
        "maskwatch.__main__",
        "maskwatch.commands.config.settings_check",
        "maskwatch.commands.config.start_checks",
        "maskwatch.commands.model.baseline",
        "maskwatch.commands.machine.doctor",
        "maskwatch.commands.model.model_check",
        "maskwatch.commands.model.model_files",
    ),
    *("maskwatch.demo.command", "maskwatch.demo.gang", "maskwatch.demo.inspection"),
    "maskwatch.demo.parts",
    "maskwatch.demo.story",
    *("maskwatch.commands.pictures.parse_files", "maskwatch.commands.jobs.job_list"),
    *("maskwatch.commands.rescore.comparison", "maskwatch.commands.rescore.rescoring"),
)


def test_what_hosts_no_segmenter_loads_no_network() -> None:
    modules = [
        *_modules_under("inference", *HOSTING, *SERVING),
        *_modules_under("maskwatch", *HEAVY_COMMANDS),
    ]
    assert _imported_with(*modules).isdisjoint({*NETWORKS, "sklearn", "scipy"})


def test_what_stands_in_front_of_a_service_loads_no_network() -> None:
    assert _imported_with(*SERVING, "inference.http.proxy.server").isdisjoint(NETWORKS)


def test_only_m2fp_transformers_and_training_load_torch() -> None:
    segmenters = "inference.segmenters"
    folders = (f"{segmenters}.{name}" for name in ("m2fp", "transformers", "reference.training"))
    loaded = _imported_with(*_modules_under("inference", *folders))
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"torch", "torchvision", "modelscope", "timm", "transformers"})


_START = """
import atexit, sys
from maskwatch.cli import main
atexit.register(lambda: print(*sys.modules))
sys.argv = ["maskwatch", sys.argv[1]]
try:
    main()
except SystemExit as ended:
    assert ended.code == 1
"""


@pytest.mark.parametrize(
    ("command", "setting"),
    [("serve", "PORT"), ("dashboard", "DASHBOARD_PORT"), ("up", "DASHBOARD_PORT")],
)
def test_a_port_in_use_is_found_before_servers_and_networks_are_loaded(
    command: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / "var"))
    for name in ("PORT", "DASHBOARD_PORT"):
        monkeypatch.setenv(f"MASKWATCH_{name}", "0")
    with listen("127.0.0.1", 0) as taken:
        monkeypatch.setenv(f"MASKWATCH_{setting}", str(taken.getsockname()[1]))
        loaded = _loaded_by(_START, command)
    assert loaded.isdisjoint({*NETWORKS, *TRAINING, "uvicorn", "fastapi", "streamlit", "starlette"})
