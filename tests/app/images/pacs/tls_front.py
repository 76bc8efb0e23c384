"""A server that ends TLS in front of an archive, as hospitals put one, and its certificates.

Debian's Orthanc 1.10.1 dies at its first TLS connection (its civetweb 1.15 with OpenSSL 3), so TLS
is tried with this in front of it; what answers behind it is the real archive.
"""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM
_DAY = datetime.timedelta(days=1)


def signed_certificate(folder: Path) -> tuple[Path, Path]:
    """Make an authority, and a certificate with key that it signed for 127.0.0.1; as PEM files."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    authority = _certificate("Hospital authority", keys[0], keys[0])
    own = _certificate("archive", keys[1], keys[0])
    (folder / "authority.pem").write_bytes(authority.public_bytes(_PEM))
    key = keys[1].private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "archive.pem").write_bytes(own.public_bytes(_PEM) + key)
    return folder / "authority.pem", folder / "archive.pem"


@contextmanager
def tls_front(port: int, certificate: Path) -> Iterator[int]:
    """Speak TLS in front of a port of this computer; the block gets the port to ask."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listener, context, port))
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    is_authority, now = key is signer, datetime.datetime.now(datetime.UTC)
    own, other = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
        for text in (name, "Hospital authority")
    )
    return (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(other)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )


def _serve(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(client, context, port), daemon=True).start()


def _carry(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """Pass questions on and answers back, each to its end: HTTP takes turns."""
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(client, server_side=True) as line,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        back = threading.Thread(target=_pass, args=(server, line), daemon=True)
        back.start()
        _pass(line, server)
        back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
