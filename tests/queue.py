"""The queue of work, whose tables are not Django's."""

from django.db import connection


def empty_queue() -> None:
    """Forget what is queued, and which workers there were."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM procrastinate_workers")
