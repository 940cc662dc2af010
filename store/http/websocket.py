"""WebSockets that do not wait for ever to be opened."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientWebSocket(WebSocketsSansIOProtocol):
    """Closes what cannot be opened, such as a handshake with more headers than it reads."""

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a handshake comes whole, so one that was not understood never will be."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()
