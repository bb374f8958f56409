"""Starts the provider, and ends it."""

import multiprocessing
import os
import tempfile
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.apps import apps
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

PASSWORD = "a-password-at-the-provider"
CLIENT, SECRET = "portal", "a-secret-of-the-portal-at-the-provider"


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Nobody reads its log."""

    def log_message(self, *_arguments):
        """Write nothing."""


def serve(folder: str, callback: str, emails: dict[str, bool], ready) -> None:
    """Be the provider. Its issuer is sent to ``ready``."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.accounts.sso.toolkit.settings",
        "PROVIDER_DATABASE": f"{folder}/provider.sqlite3",
    }
    django.setup()
    call_command("migrate", verbosity=0)
    for email, is_verified in emails.items():
        apps.get_model("auth.User").objects.create_user(email, email, PASSWORD, is_staff=is_verified)
    apps.get_model("oauth2_provider.Application").objects.create(
        name="The portal", client_id=CLIENT, client_secret=SECRET, redirect_uris=callback, algorithm="RS256",
        client_type="confidential", authorization_grant_type="authorization-code", skip_authorization=True,
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    ready.send(f"http://127.0.0.1:{server.server_port}/o")
    server.serve_forever()


@contextmanager
def toolkit(callback: str, emails: dict[str, bool]):
    """The provider, in which the owners of addresses (verified or not) sign in with ``PASSWORD``; gives its issuer."""
    # A new interpreter: this one's Django is the portal's.
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        process = processes.Process(target=serve, args=(folder, callback, emails, theirs), daemon=True)
        process.start()
        try:
            yield ours.recv()
        finally:
            process.kill()
            process.join()
            process.close()
            ours.close()
            theirs.close()
