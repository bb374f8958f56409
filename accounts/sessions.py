"""Sessions in the database, read together with whose they are by one plain statement: every request begins with it."""

from contextvars import ContextVar
from datetime import datetime
from functools import cache

from django.contrib.sessions.backends import db
from django.db import connection

from accounts.models import Account, Person
from portal.database.planned import planned_once

#: Whose session this thread read last, for the sign-in that asks for them next (``accounts.sign_in.Backend``).
read_with_session: ContextVar[Person | None] = ContextVar("read_with_session", default=None)


@cache
def columns_of_person() -> tuple[list[str], list[str], str]:
    """The fields of people and of accounts, and the SELECT list that fetches both, for ``p`` and ``a``.

    Building the query anew, for every request, cost more than asking it.
    """
    person, account = Person._meta.concrete_fields, Account._meta.concrete_fields
    selected = [*(f"p.{field.column}" for field in person), *(f"a.{field.column}" for field in account)]
    selected.append("EXISTS (SELECT FROM mfa_authenticator f WHERE f.user_id = p.id AND f.type <> 'recovery_codes')")
    return [field.attname for field in person], [field.attname for field in account], ", ".join(selected)


def person_in(row: tuple) -> Person:
    """The person, with their account, in what ``columns_of_person`` selected."""
    names, account_names, _selected = columns_of_person()
    *values, has_second_factor = row
    person = Person.from_db(connection.alias, names, values[: len(names)])
    person.account = Account.from_db(connection.alias, account_names, values[len(names) :])
    person.has_second_factor = has_second_factor
    return person


class SessionStore(db.SessionStore):
    """Django's own store. Only reading differs: the person who signed in comes with the session.

    ``last_seen_at`` does too: when the list of the person's sessions was last told of this one; None when the session
    is in no such list.
    """

    last_seen_at: datetime | None = None

    def load(self):
        *_names, selected = columns_of_person()
        with planned_once() as cursor:
            cursor.execute(
                f"SELECT s.session_data, u.last_seen_at, p.id IS NOT NULL, {selected} FROM django_session s"  # noqa: S608
                " LEFT JOIN usersessions_usersession u ON u.session_key = s.session_key"
                " LEFT JOIN accounts_person p ON p.id = u.user_id AND p.is_active"
                " LEFT JOIN accounts_account a ON a.id = p.account_id"
                " WHERE s.session_key = %s AND s.expire_date > now()",
                [self.session_key],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            read_with_session.set(None)
            return {}
        data, self.last_seen_at, is_somebodys, *person = row
        read_with_session.set(person_in(person) if is_somebodys else None)
        return self.decode(data)

    def cycle_key(self):
        """Take another key, and keep the place in the list of the person's sessions."""
        before = self.session_key
        super().cycle_key()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE usersessions_usersession SET session_key = %s WHERE session_key = %s",
                [self.session_key, before],
            )
