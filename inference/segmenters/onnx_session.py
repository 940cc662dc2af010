"""Sessions of ONNX Runtime, the same for every network."""

import os
from typing import Any

# Its official builds send their maker the names and hashes of models, sizes and times, and keep a
# number that names this machine. They read this once, when they are loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

# What goes wrong is raised; it need not stand in the log as well.
_FATAL_ONLY = 4


def open_session(data: bytes, threads: int) -> Any:
    """A session of a checked network; it is safe to call from several threads.

    Args:
        threads: threads that one call may use, the caller's own among them.

    Raises:
        Exception: the network cannot be run; the errors of ONNX Runtime have no type in common.
    """
    return onnxruntime.InferenceSession(
        data, _build_options(threads), providers=["CPUExecutionProvider"]
    )


def _build_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # Pictures come in many sizes, and a plan of memory for each of them would be kept.
    options.enable_mem_pattern = False
    # Threads that wait for the next layer must not keep a core from those that have work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
