"""An upstream behind TLS, with a certificate of its own."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.inference.upstream.relay.conftest import Handler, Relaying, Upstream, read_head

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
BODY = bytes(range(256)) * 4_000


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with key and certificate for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
    now, address = datetime.now(UTC), x509.IPAddress(ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "upstream.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _answering(certificate: Path) -> Handler:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_head(secured)
            length = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
            secured.sendall(length + BODY)

    return handle


def test_answers_come_through_tls(
    upstream: Upstream, relaying: Relaying, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = upstream(_answering(certificate))
    relayed = relaying(server.port, upstream=f"https://127.0.0.1:{server.port}")
    assert relayed.say(GET).endswith(b"\r\n\r\n" + BODY)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    upstream: Upstream, relaying: Relaying, certificate: Path
) -> None:
    server = upstream(_answering(certificate))
    relayed = relaying(server.port, upstream=f"https://127.0.0.1:{server.port}")
    said = relayed.say(GET)
    assert said.startswith(b"HTTP/1.1 502 ")
    assert b"refused" in said
