"""Statements that are asked alike so often that planning them each time would be most of their cost."""

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def planned_once() -> CursorWrapper:
    """A cursor whose statements the database plans once for a connection, however often they are run.

    For what is planned alike whatever its values are; Django's own cursor has each statement planned anew.
    """
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
