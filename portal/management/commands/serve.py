"""``manage.py serve``: the portal in production, web server and workers."""

import os
from ipaddress import ip_address

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Person
from accounts.walls import inspection
from numbers.demo import PASSWORD, PEOPLE
from portal import deployment
from portal.database import pooler, server
from portal.database.address import described
from portal.processes import becomes_free, look_after, web, workers


class Command(BaseCommand):
    help = "Start the portal in production. HOST, PORT, WORKERS and THREADS come from the environment."

    def add_arguments(self, parser):
        parser.add_argument(
            "part",
            nargs="?",
            choices=["all", "web", "worker"],
            default="all",
            help="the web server or the workers alone, so that either may be restarted, and have machines, of its own",
        )

    def handle(self, *args, **options):
        host, port = settings.HOST, int(os.environ.get("PORT", "8000"))
        serves_web, has_workers = options["part"] != "worker", options["part"] != "web"
        self.stdout.write(f"Database: {described(os.environ.get('DATABASE_URL', ''))}.")
        problems = deployment.refusals()
        if serves_web and (problem := problem_of_front_end()):
            problems.append(problem)
        if serves_web and not becomes_free(port):
            problems.append(f"Port {port} is in use: stop the program that listens on it, or set PORT.")
        if problem := problem_of_database():
            problems.append(problem)
        if problems:
            raise CommandError("\n".join(problems))
        if settings.PLAIN_HTTP:
            self.stderr.write("PLAIN_HTTP=1: anyone on the network path can read passwords and take over sessions.")
        if warning := inspection.warning():
            self.stderr.write(warning)
        if not Person.objects.joined().exists():
            self.stderr.write("Nobody can sign in yet: run manage.py create_operator.")
        connection.close()
        children, greeting, ready = [], "The workers have started.", ""
        if serves_web:
            if not settings.IS_RELEASE:
                call_command("collectstatic", interactive=False, verbosity=0)
            count = int(os.environ.get("WORKERS", os.cpu_count() or 2))
            children.append(web(host, port, workers=count, threads=settings.THREADS))
            greeting, ready = f"The portal answers on {host}, port {port}.", f"http://{reached(host)}:{port}/healthz"
        if has_workers:
            children += workers()
        name = settings.ALLOWED_HOSTS[0].lstrip(".")
        if look_after(children, self.stdout.write, ready=ready, greeting=greeting, host=name):
            raise CommandError("The portal stopped.")


def problem_of_front_end() -> str:
    """Why pages would have no look, in a sentence; nothing when the front end is there."""
    if settings.IS_RELEASE or (settings.BASE_DIR / "static" / "dist" / "portal.css").exists():
        return ""
    return "The front end is not built: run make build here, or install a release archive, which has it."


def problem_of_database() -> str:
    """Why the database or its role is not fit for the portal; empty when it is."""
    if problem := server.problem():
        return problem
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "The database is older than this release: run manage.py migrate first."
    except DatabaseError as error:
        return f"The database cannot be reached: {str(error).strip().splitlines()[0]}"
    return inspection.refusal() or pooler.problem() or problem_of_demo_people()


def problem_of_demo_people() -> str:
    """Why strangers could sign in: demo data is here, and its password is published. Nothing when that is not so."""
    people = Person.objects.joined().filter(email__in=[email for email, *_rest in PEOPLE]).order_by("email")
    if names := [person.email for person in people if person.check_password(PASSWORD)]:
        return (
            f"This database has demo data: {', '.join(names)} sign in with a published password. Serve another"
            " database, give them other passwords, or run manage.py demo."
        )
    return ""


def reached(host: str) -> str:
    """The host part of a URL by which this machine reaches a server that listens on ``host``."""
    if (address := ip_address(host)).is_unspecified:
        return "127.0.0.1"
    return f"[{address}]" if address.version == 6 else host
