"""How people sign in: by e-mail address and password, through allauth."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.db import connection

from accounts import actions
from accounts.models import Access, Account, Person


def columns(model, alias: str) -> tuple[list[str], str]:
    """The names of a model's fields and the SELECT list that fetches them."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], ", ".join(f"{alias}.{field.column}" for field in fields)


class Backend(AuthenticationBackend):
    """allauth's sign-in by address. The person is read together with their account, which every page needs, by a
    statement written once: every request asks it, and building it anew cost more than asking."""

    def get_user(self, user_id):
        (names, person_columns), (account_names, account_columns) = columns(Person, "p"), columns(Account, "a")
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {person_columns}, {account_columns} FROM accounts_person p"  # noqa: S608 - names of columns
                " JOIN accounts_account a ON a.id = p.account_id WHERE p.id = %s AND p.is_active",
                [user_id],
            )
            row = cursor.fetchone()
        if row is None:
            return None
        person = Person.from_db(connection.alias, names, row[: len(names)])
        person.account = Account.from_db(connection.alias, account_names, row[len(names) :])
        return person


class Adapter(DefaultAccountAdapter):
    """People come by invitation: nobody signs up by themselves."""

    def is_open_for_signup(self, request):
        return False

    def logout(self, request):
        """Sign out, which also leaves every account that was entered."""
        if sign_in := request.session.get("sign_in"):
            actions.end_accesses(request.actor.person, Access.End.SIGNED_OUT, sign_in=sign_in)
        super().logout(request)


def display_name(person: Person) -> str:
    """How allauth's messages name a person."""
    return person.name
