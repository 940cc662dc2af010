"""The engine of several processes: parts go through Ray Data, on this machine or on a cluster.

Only here Ray is imported, and only when somebody asks for it. What travels is bytes that our own
code packs and unpacks; credentials and settings of the database stay with the process that starts
the engine.
"""

import gc
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any

from threadpoolctl import threadpool_limits

from detectors.errors import MaskwatchError
from jobs.engines.base import EngineFailed, EngineUnusable, Part, Recipe, Result, Work

OBJECT_STORE_BYTES = 200 << 20
"""Shared memory of a Ray of our own; what is more lies in its folder on disk."""

# Parts of one run of Ray Data, which starts its actors anew: so many bytes, or this one part.
_WINDOW_BYTES = 256 << 20
# A part that is worked on and one that waits for its turn.
_IN_FLIGHT = 2
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its room is asked for
# What Ray puts behind its folder: session_YYYY-mm-dd_HH-MM-SS_ffffff_PID/sockets/plasma_store
_SOCKET_NAME_BYTES, _MAX_SOCKET_BYTES = 64, 107
_REACHED_SECONDS = 30.0
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_OF_RAY = {
    # The name is Ray's: without clusters it listens on the loopback address alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    # As this process: Ray would leave them next to nothing of a busy machine.
    "RAY_worker_niceness": "0",
}
# Processes that Ray starts inherit the environment: what names databases and secrets is taken out.
_KEPT_BACK = ("MASKWATCH_", "PG")


class RayEngine:
    """Works on parts in actors, each with one thread; see :class:`jobs.engines.base.Engine`.

    An actor that dies is replaced, and its part is worked on again.
    """

    def __init__(self, ray: Any, actors: int) -> None:
        self._ray = ray
        self._actors = actors

    def run(self, work: Work[Part, Result], parts: Iterator[Part]) -> Iterator[Result]:
        """What comes of each part, in their order; a window of them is packed at a time."""
        packed, recipe = map(work.pack, parts), work.recipe()
        for first in packed:
            window = list(_take_window(chain((first,), packed)))
            yield from map(work.unpack, self._run_window(recipe, window))

    def _run_window(self, recipe: Recipe, window: list[bytes]) -> Iterator[bytes]:
        # The archive of a model may be large: it is kept once, not sent with each actor.
        material = self._ray.put(recipe.material)
        try:
            for row in self._plan(recipe, material, window).iter_rows():
                if row["fault"]:
                    raise EngineFailed(f"A worker of Ray could not go on: {row['fault']}")
                yield row["answer"]
        except self._ray.exceptions.RayError as error:
            raise EngineFailed(
                f"Ray ended before the work did ({type(error).__name__})."
            ) from error
        finally:
            # Actors end, and make room for those of the next window, when nothing refers to them.
            gc.collect()

    def _plan(self, recipe: Recipe, material: Any, window: list[bytes]) -> Any:
        """A data set of what comes of each part; nothing is done yet."""
        data, size = self._ray.data, min(self._actors, len(window))
        # Blocks are taken as they are: other ways in start tasks, which wait for actors to end.
        return data.from_blocks([_as_block(part) for part in window]).map_batches(
            _Actor,
            fn_constructor_args=(recipe.make, [material]),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            compute=data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=_IN_FLIGHT),
        )


class _Actor:
    """Makes a worker when the first part comes, and says what went wrong instead of dying of it."""

    def __init__(self, make: Any, material: list[Any]) -> None:
        self._make, self._material = make, material
        self._worker: Any = None

    def __call__(self, batch: Any) -> Any:
        import pyarrow as pa  # noqa: PLC0415 - loaded by Ray already

        answers, fault = [b""], ""
        try:
            # Sums of several threads may differ in the last bit.
            with threadpool_limits(1):
                answers = [self._work(part) for part in batch["part"].to_pylist()]
        except MaskwatchError as error:
            fault = str(error)
        except Exception as error:  # noqa: BLE001 - Ray would try again for ever
            fault = f"an unexpected fault ({type(error).__name__}: {error})."
        return pa.table({"answer": pa.array(answers, pa.large_binary()), "fault": [fault]})

    def _work(self, part: bytes) -> bytes:
        if self._worker is None:
            import ray  # noqa: PLC0415 - this process is one of Ray's

            self._worker = self._make(ray.get(self._material[0]))
        answer: bytes = self._worker(part)
        return answer


@contextmanager
def open_ray(var_dir: Path, address: str | None, actors: int | None) -> Iterator[RayEngine]:
    """Start a Ray of our own on the loopback address, or join a cluster; leave it afterwards.

    Args:
        var_dir: takes Ray's files where no temporary folder can be written.
        address: of a cluster; ``None`` for a Ray of our own.
        actors: how many processes work; ``None``: one for each processor.

    Raises:
        EngineUnusable: Ray is not installed, does not start, would listen beyond this machine, or
            has fewer processors than actors are asked for.
    """
    if find_spec("ray") is None:
        raise EngineUnusable(
            "The engine ray needs ray, and this installation is without: run "
            "`pip install 'maskwatch[ray]'`."
        )
    with ExitStack() as stack:
        ray = _join(address) if address is not None else _start(stack, var_dir, actors)
        stack.callback(ray.shutdown)
        if address is None and ray.util.get_node_ip_address() not in _LOOPBACK:
            raise EngineUnusable("Ray would listen beyond this machine, so it was ended again.")
        _quiet(ray)
        yield RayEngine(ray, _count_actors(ray, actors))


def _count_actors(ray: Any, actors: int | None) -> int:
    """How many actors work; more than there are processors would wait for ever."""
    processors = int(ray.cluster_resources().get("CPU", 0))
    if processors < (actors or 1):
        raise EngineUnusable(
            f"This Ray has {processors} processors, too few for {actors or 1} actors."
        )
    return actors or processors


def _start(stack: ExitStack, var_dir: Path, actors: int | None) -> Any:
    """A Ray of our own; its processes get neither settings nor secrets."""
    folder = stack.enter_context(_make_folder(var_dir))
    stack.enter_context(_with_variables({**_OF_RAY, "RAY_AUTH_TOKEN": secrets.token_hex(32)}))
    room = shutil.disk_usage(_SHARED_MEMORY).free if _SHARED_MEMORY.is_dir() else 0
    with _without_secrets():
        return _init(
            address="local",
            num_cpus=actors,
            num_gpus=0,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
            object_store_memory=OBJECT_STORE_BYTES,
            **({} if room > OBJECT_STORE_BYTES else {"_plasma_directory": str(folder)}),
        )


def _join(address: str) -> Any:
    """A cluster that runs already."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal():
        raise EngineUnusable(f"The address {address!r} is none of a Ray cluster: write HOST:PORT.")
    try:
        # Ray itself would try for minutes.
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise EngineUnusable(f"No Ray cluster is reached at {address} ({error}).") from None
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    return _init(address=address)


def _init(**options: Any) -> Any:
    """Ray, running.

    Raises:
        EngineUnusable: it does not start.
    """
    import ray  # noqa: PLC0415 - it takes seconds; who does not use it should not wait for it
    import ray.data  # noqa: PLC0415

    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (RuntimeError, OSError, ValueError, ConnectionError) as error:
        ray.shutdown()  # what has started of it
        raise EngineUnusable(f"Ray does not start ({error}).") from error
    return ray


def _quiet(ray: Any) -> None:
    """Order is part of the result; what Ray says of its progress is not ours to print."""
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


@contextmanager
def _make_folder(var_dir: Path) -> Iterator[Path]:
    """A folder for Ray's files that only this user may enter; it is removed again.

    Raises:
        EngineUnusable: it cannot be made, or its path is too long for Ray's sockets.
    """
    base = find_base(var_dir)
    try:
        folder = Path(mkdtemp(prefix="mw-", dir=base))
    except OSError as error:
        raise EngineUnusable(
            f"The folder {base} for Ray's files cannot be written ({error.strerror}): set "
            "RAY_TMPDIR to one that can."
        ) from None
    try:
        excess = len(os.fsencode(folder)) + _SOCKET_NAME_BYTES - _MAX_SOCKET_BYTES
        if excess > 0:
            raise EngineUnusable(
                f"The path of the folder {base} is {excess} bytes too long for Ray's sockets: set "
                "RAY_TMPDIR to a folder with a shorter one."
            )
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_base(var_dir: Path) -> Path:
    """RAY_TMPDIR, the usual temporary folder, or the var folder where none can be written."""
    named = os.environ.get("RAY_TMPDIR")
    if named:
        return Path(named).absolute()
    try:
        return Path(gettempdir())
    except FileNotFoundError:
        return var_dir.absolute()


@contextmanager
def _with_variables(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment with these variables, for this process and those that it starts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


@contextmanager
def _without_secrets() -> Iterator[None]:
    """The environment without what names databases and secrets, for processes started meanwhile."""
    names = [name for name in os.environ if name.startswith(_KEPT_BACK)]
    values = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(values)


def _take_window(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Parts until they are many bytes; at least one."""
    size = 0
    for part in parts:
        yield part
        size += len(part)
        if size >= _WINDOW_BYTES:
            return


def _as_block(part: bytes) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - half a second; who does not use Ray should not wait

    return pa.table({"part": pa.array([part], pa.large_binary())})
