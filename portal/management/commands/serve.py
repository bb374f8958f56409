"""``manage.py serve``: the portal in production, web server and worker."""

import os

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts import walls
from portal.embedded import is_free
from portal.processes import THREADS, look_after, web, worker


class Command(BaseCommand):
    help = "Start the portal in production. HOST, PORT, WORKERS and THREADS come from the environment."

    def add_arguments(self, parser):
        parser.add_argument("--no-worker", action="store_true", help="the web server alone; workers run elsewhere")

    def handle(self, *args, **options):
        host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
        if not is_free(port):
            raise CommandError(f"Port {port} is taken: stop what listens there, or set PORT.")
        try:
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            raise CommandError(f"The database cannot be reached: {str(error).strip().splitlines()[0]}") from error
        if pending:
            raise CommandError("The database is older than this release: run manage.py migrate first.")
        if refusal := walls.refusal():
            raise CommandError(refusal)
        connection.close()
        call_command("collectstatic", interactive=False, verbosity=0)
        workers = int(os.environ.get("WORKERS", os.cpu_count() or 2))
        children = [web(host, port, workers=workers, threads=int(os.environ.get("THREADS", THREADS)))]
        if not options["no_worker"]:
            children.append(worker())
        greeting = f"The portal answers on {host}, port {port}."
        if look_after(children, self.stdout.write, ready=f"http://127.0.0.1:{port}/healthz", greeting=greeting):
            raise CommandError("The portal stopped.")
