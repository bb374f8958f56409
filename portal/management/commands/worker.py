"""``manage.py worker``: does what happens in the background, and outlives a database that goes away."""

import asyncio
import logging
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

from accounts.walls import inspection
from portal.database import limits
from portal.database.address import described as described_database
from portal.database.base import DatabaseWrapper
from portal.logs import described, last_resort
from portal.tasks import ROOMS, WorkersQueue

log = logging.getLogger("portal.worker")
PAUSE_SECONDS = 5


class Command(BaseCommand):
    help = "Run the background worker."

    def add_arguments(self, parser):
        parser.add_argument("rooms", nargs="*", help=f"kinds of work, all unless some are named: {', '.join(ROOMS)}")

    def handle(self, *args, **options):
        if unknown := set(options["rooms"]) - set(ROOMS):
            raise CommandError(f"There is no kind of work called {', '.join(sorted(unknown))}: {', '.join(ROOMS)}.")
        rooms = options["rooms"] or list(ROOMS)
        last_resort()
        DatabaseWrapper.limits = limits.WORKER
        connections.close_all()
        parent = os.getppid()
        while os.getppid() == parent:  # a worker ends when the process that started it was killed
            try:
                if refusal := inspection.refusal():
                    raise CommandError(refusal)
                database = described_database(os.environ.get("DATABASE_URL", ""))
                log.info("The worker works on the database %s", database)
                # Not by procrastinate's own command: that one greets, and ends the process when the database is away.
                # Each kind of work listens over a connection, and a few more are shared. The pool's own smallest size
                # is more than one kind of work needs.
                pool = WorkersQueue(kwargs=connector_params(), min_size=1, max_size=len(rooms) + 2)
                with app.replace_connector(pool) as worker:
                    asyncio.run(run(worker, rooms))
            except (ConnectorException, DatabaseError, psycopg.Error, OSError) as error:
                log.error("The worker lost the database: %s", described(error))
                connections.close_all()
                time.sleep(PAUSE_SECONDS)
            else:
                return


async def run(worker: App, rooms: list[str]) -> None:
    """Work in these rooms until a signal comes, or one of them ends; what was begun is ended first."""
    loop = asyncio.get_running_loop()
    # A thread for each task: with fewer, one kind would wait for another after all.
    loop.set_default_executor(ThreadPoolExecutor(sum(ROOMS[name][1] for name in rooms), "task"))
    async with worker.open_async():
        working = [
            loop.create_task(
                worker.run_worker_async(queues=queues, concurrency=at_once, name=name, install_signal_handlers=False)
            )
            for name, (queues, at_once) in ((name, ROOMS[name]) for name in rooms)
        ]

        is_stopping = False

        def stop() -> None:
            # Once: the second time would interrupt what a room is still ending.
            nonlocal is_stopping
            if not is_stopping:
                is_stopping = True
                for one in working:
                    one.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        ended, _others = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        stop()
        await asyncio.gather(*working, return_exceptions=True)
        for one in ended:
            if not one.cancelled() and (error := one.exception()):
                raise error
