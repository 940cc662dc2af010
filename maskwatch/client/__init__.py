"""Middleware that attaches WSGI and ASGI applications to a sidecar; standard library alone."""

from maskwatch.client.asgi import ASGIMiddleware
from maskwatch.client.options import ClientOptions, Mode
from maskwatch.client.wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "ClientOptions", "Mode", "WSGIMiddleware"]
