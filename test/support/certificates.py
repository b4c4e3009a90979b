"""Certificates for the scripts, made by certificates.sh once and removed at the end."""

import atexit
import functools
import pathlib
import shutil
import ssl
import subprocess
import tempfile


@functools.cache
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="hawser-test-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    subprocess.run([pathlib.Path(__file__).with_name("certificates.sh"), path], check=True)
    return path


def certificate(name):
    return str(folder() / f"{name}.pem")


def key(name):
    return str(folder() / f"{name}.key")


def identity(name="server"):
    """The command's options for this certificate."""
    return ["--cert", certificate(name), "--key", key(name)]


def server_context(name="server", client_ca=None):
    """Of Python's ssl, which is OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(name), key(name))
    if client_ca:
        context.load_verify_locations(certificate(client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(name=None):
    """One that trusts the root, and shows the certificate of this name."""
    context = ssl.create_default_context(cafile=certificate("root"))
    if name:
        context.load_cert_chain(certificate(name), key(name))
    return context
