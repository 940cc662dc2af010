"""A Gradio application behind the middleware, in a process of its own: what it leaves open ends.

Run as a script with the sidecar's address and the mode; it prints its own address.
"""

import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# The client alone: nothing else of the repository is needed here.
sys.path.insert(0, str(Path(__file__).parents[3]))

from maskwatch.client import ASGIMiddleware, ClientOptions, Mode


def _measure(image: Any) -> dict[str, int]:
    return {"height": image.shape[0], "width": image.shape[1]}


def main(sidecar: str, mode: str) -> None:
    """Serve until the process is ended."""
    gradio: Any = import_module("gradio")
    page = gradio.Interface(_measure, gradio.Image(), gradio.JSON(), api_name="measure")
    app = gradio.mount_gradio_app(import_module("fastapi").FastAPI(), page, path="/")
    # The upload takes the file; this call names it.
    plain = ("/gradio_api/call/measure",) if mode == Mode.GATE else ()
    options = ClientOptions(sidecar, Mode(mode), plain_paths=plain, timeout_seconds=60)
    uvicorn: Any = import_module("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(ASGIMiddleware(app, options), log_level="error")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
