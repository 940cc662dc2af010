"""Applications as people write them; each says which pixels and bytes it got."""

from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import StreamingResponse
from flask import Flask, request


def flask_app() -> Flask:
    """A Flask page: a picture in a form, a login, an echo and an error."""
    app = Flask("host")

    @app.post("/parse")
    def parse() -> dict[str, Any]:
        data = request.files["image"].read()
        return {"sha256": sha256(data).hexdigest(), "note": request.form.get("note")}

    @app.post("/login")
    def login() -> str:
        return request.form["name"]

    @app.post("/echo")
    def echo() -> bytes:
        return request.get_data()

    @app.post("/ignore")
    def ignore() -> str:
        return "not read"

    @app.post("/broken")
    def broken() -> str:
        request.get_data()
        raise RuntimeError("broken")

    @app.get("/page")
    def page() -> str:
        return "page"

    return app


def fastapi_app() -> FastAPI:
    """The same for FastAPI, and an answer in pieces."""
    app = FastAPI()

    @app.post("/parse")
    async def parse(image: UploadFile) -> dict[str, str]:
        return {"sha256": sha256(await image.read()).hexdigest()}

    @app.post("/echo")
    async def echo(sent: Request) -> StreamingResponse:
        body = await sent.body()
        pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
        return StreamingResponse(pieces)

    @app.post("/ignore")
    async def ignore() -> str:
        return "not read"

    @app.get("/page")
    async def page() -> str:
        return "page"

    return app
