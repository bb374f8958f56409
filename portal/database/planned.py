"""Statements that are asked alike so often that putting them together and planning them each time would be most of
their cost."""

from collections.abc import Iterable
from functools import cache
from itertools import islice

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


def planned_once() -> CursorWrapper:
    """A cursor whose statements the database plans once for a connection, however often they are run.

    For what is planned alike whatever its values are; Django's own cursor has each statement planned anew.
    """
    # As Django's own cursor does: this may be the first statement of a request, after the server ended the connection.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


@cache
def names_of(model: type[Model]) -> list[str]:
    """What its columns are called in Python, in their order."""
    return [field.attname for field in model._meta.concrete_fields]


@cache
def columns(**models: type[Model]) -> str:
    """The SELECT list for whole rows of the tables of ``models``, by alias: ``columns(p=Person, a=Account)``."""
    fields = [(alias, field.column) for alias, model in models.items() for field in model._meta.concrete_fields]
    return ", ".join(f"{alias}.{column}" for alias, column in fields)


def instances(values: Iterable, *models: type[Model]) -> list[Model | None]:
    """The rows of ``models`` in what ``columns`` has selected of them, in the same order; None for a row that an outer
    join has not found. What was selected besides comes after them."""
    values, found = iter(values), []
    for model in models:
        names = names_of(model)
        row = list(islice(values, len(names)))
        found.append(None if row[0] is None else model.from_db(DEFAULT_DB_ALIAS, names, row))
    return found
