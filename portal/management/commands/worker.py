"""``manage.py worker``: does what happens in the background, and outlives a database that goes away."""

import logging
import os
import time

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from accounts import walls

log = logging.getLogger("portal.worker")
PAUSE_SECONDS = 5
#: So many things at a time: mail does not wait for a large import.
AT_ONCE = 3


class Command(BaseCommand):
    help = "Run the background worker."

    def handle(self, *args, **options):
        parent = os.getppid()
        while os.getppid() == parent:  # whoever started us and was killed wants no worker any more
            try:
                if refusal := walls.refusal():
                    raise CommandError(refusal)
                # Not by procrastinate's own command: that one greets, and ends the process when the database is away.
                with app.replace_connector(app.connector.get_worker_connector()) as worker:
                    worker.run_worker(concurrency=AT_ONCE)
            except (ConnectorException, DatabaseError, psycopg.Error, OSError) as error:
                log.error("The worker lost the database: %s", str(error).strip().partition("\n")[0])
                connections.close_all()
                time.sleep(PAUSE_SECONDS)
            else:
                return
