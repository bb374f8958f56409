"""The walls between tenants, in the database: who may do what with which table, and with which rows.

The portal signs in as an ordinary role that has no rights on tables with rows of tenants, but may go on, for one
transaction, as the role of a scope (``accounts.scope``): the system's, a VAR's, a customer's or a buyer's. Row-level
security shows a VAR's and a customer's role the rows of one account, and takes no other from them. A buyer is a
customer towards the stock of its VAR: it sees what it may take, and moves numbers between the stock and itself.

``WALLS``, ``VIEWS`` and ``OPEN`` name every table: one that is in none of them is closed to the portal. ``building``
makes the database agree with them after each migration, and ``inspection`` looks whether it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.scope import BUYER

ALL = "SELECT, INSERT, UPDATE, DELETE"


def takeable(customer: str, row: str = "") -> str:
    """The condition in SQL that a customer may take a number of the stock of its VAR: it is nobody's, and neither kept
    for another nor cooling after another. Offers, basket, order and the buyer's scope all ask this.

    ``customer`` stands for the customer's id; ``row`` is what columns begin with.
    """
    return (
        f"(({row}customer_id IS NULL)"
        f" AND (({row}reserved_until IS NULL) OR ({row}reserved_until <= now()) OR ({row}reserved_for_id = {customer}))"
        f" AND (({row}cooling_until IS NULL) OR ({row}cooling_until <= now()) OR ({row}last_holder_id = {customer})))"
    )


# The stock of the VAR above the scope's account.
IN_STOCK = "(var_id = ({above})[1])"
#: The numbers that a buyer sees: its own, and those that it may take.
REACHED = "(" + IN_STOCK + " AND ((customer_id = {account}) OR " + takeable("{account}") + "))"
#: The numbers as a buyer leaves them: in the stock, kept for nobody or a week for itself, cooling after nobody or
#: itself; or its own, and new to it. One more day is for clocks that differ.
LEFT = (
    "(" + IN_STOCK + " AND (((customer_id IS NULL) AND ((reserved_for_id IS NULL) OR ((reserved_for_id = {account})"
    " AND (reserved_until <= (now() + '8 days'::interval))))"
    " AND (((last_holder_id IS NULL) AND (cooling_until IS NULL)) OR (last_holder_id = {account})))"
    " OR ((customer_id = {account}) AND (last_holder_id IS NULL) AND (destination_id IS NULL)"
    " AND (first_call_at IS NULL))))"
)


@dataclass(frozen=True)
class Wall:
    """What each scope may do with a table, as in GRANT, and which rows it may do that with.

    The system's scope sees every row; what it may add, change or remove are its ``system_rows``. ``shown`` are rows
    that a scope may read besides. A buyer sees and leaves the ``buyer_rows``; without any, it sees those of the
    customer. ``portal`` is what the portal may do outside all scopes, with any row.

    Conditions are written as PostgreSQL writes them back, so that what is there can be compared with what is wanted;
    ``{account}`` stands for the account of the scope, ``{above}`` for the accounts above it.
    """

    system: str
    var: str
    customer: str
    var_rows: str = "(var_id = {account})"
    customer_rows: str = "(customer_id = {account})"
    system_rows: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    buyer: str = ""
    buyer_rows: tuple[str, str] | None = None
    portal: str = ""

    @classmethod
    def of_account(cls, *rights: str, writes_of_system: bool = False, **more) -> Wall:
        """The wall of a table whose rows belong to one account each, whatever its kind."""
        own = "(account_id = {account})"
        return cls(*rights, own, own, own if writes_of_system else "", **more)

    @property
    def rights(self) -> dict[str, str]:
        """What each scope may do with the table."""
        return {"system": self.system, "var": self.var, "customer": self.customer, BUYER: self.buyer}


def held(column: str) -> str:
    """The condition that a number is the account's, in a form that no index is searched by.

    The planner believes the average of it: where accounts had few numbers when statistics were taken, it would read all
    that one has now for each batch of a job. Lists name the account in a condition of their own.
    """
    return f"\nCASE\n    WHEN ({column} = {{account}}) THEN true\n    ELSE false\nEND"


#: What its people change of a phone system; its figures are written by a function alone.
SYSTEM_SETTINGS = (
    "revoked_at, name, format, country, without_plus, time_zone, contexts, id_column, number_column, time_column,"
    " public_key, auth_token"
)
#: What a page needs to know of people, all but their passwords.
PERSON = (
    "id, last_login, role, email, name, is_active, has_joined, time_zone, number_format, account_id, invited_at,"
    " devices_since, channels"
)
# An account, and those right below it. Of a CASE the planner expects half of all rows and not a handful, and goes on
# walking the names of a VAR's customers by their index.
ITS_OWN = """
CASE
    WHEN (parent_id = {account}) THEN true
    ELSE (id = {account})
END"""
BELOW = """(EXISTS ( SELECT
   FROM accounts_account a
  WHERE ((a.id = accounts_person.account_id) AND (a.parent_id = {account}))))"""
OF_AGENTS = """(EXISTS ( SELECT
   FROM accounts_person p
  WHERE ((p.id = accounts_grant.user_id) AND (p.account_id = {account}))))"""
#: What an account changes about itself, and the account above it besides.
CONTACT = "contact, email, phone, home_country, asks_consent"
DETAILS = f"{CONTACT}, name, status, number_quota, cooling_days, orders_need_approval"

#: Tables with rows of tenants.
WALLS = {
    # What a page may see and change of who there is. Signing in, entering and leaving are outside scopes.
    "accounts_account": Wall(
        system=f"SELECT, INSERT, UPDATE ({DETAILS})",
        var=f"SELECT, INSERT, UPDATE ({DETAILS})",
        customer=f"SELECT, UPDATE ({CONTACT})",
        system_rows="((id = {account}) OR (parent_id = {account}))",
        var_rows=ITS_OWN,
        customer_rows="(id = {account})",
        shown=dict.fromkeys(("var", "customer"), "(id = ANY ({above}::bigint[]))"),
        buyer="SELECT",
        portal="SELECT",
    ),
    "accounts_person": Wall(
        system=f"SELECT ({PERSON}), INSERT, UPDATE (name, role, is_active, invited_at)",
        var=f"SELECT ({PERSON}), INSERT, UPDATE (name, role, is_active, invited_at)",
        customer=f"SELECT ({PERSON}), INSERT, UPDATE (name, role, is_active, invited_at)",
        system_rows="((account_id = {account}) OR " + BELOW + ")",
        var_rows="((account_id = {account}) OR " + BELOW + ")",
        customer_rows="(account_id = {account})",
        # Names of those who did something for the account stand in its history.
        shown=dict.fromkeys(("var", "customer"), "(account_id = ANY ({above}::bigint[]))"),
        portal="SELECT, INSERT, UPDATE",
    ),
    # Begun and ended outside scopes; the account decides about questions.
    "accounts_access": Wall.of_account(
        *["SELECT, UPDATE (consented_at, consented_by_id, ended_at, ended_why)"] * 3,
        writes_of_system=True,
        portal="SELECT, INSERT, UPDATE",
    ),
    # What people are told of. An action writes notices for people of other accounts too, and each person reads theirs
    # on a page of their own: outside scopes, and no scope may touch them.
    "accounts_notice": Wall.of_account("", "", "", portal=ALL),
    # Of the account's own support agents.
    "accounts_grant": Wall(
        ALL, ALL, "SELECT", system_rows=OF_AGENTS, var_rows=OF_AGENTS, customer_rows=OF_AGENTS, portal="SELECT"
    ),
    "numbers_telephonesystem": Wall.of_account(
        f"SELECT, INSERT, UPDATE ({SYSTEM_SETTINGS})",
        f"SELECT, INSERT, UPDATE ({SYSTEM_SETTINGS})",
        "",
        writes_of_system=True,
        # Its token decides in which scope calls are taken down.
        portal="SELECT",
    ),
    # What holds a number back and whom it was with before is the VAR's to write; a customer could name others there.
    # A buyer moves numbers and writes nothing on them.
    "numbers_phonenumber": Wall(
        system="SELECT",
        var=ALL,
        customer="SELECT, UPDATE (destination_id, label, caller_name, voice, sms, fax)",
        buyer="SELECT, UPDATE (customer_id, assigned_at, destination_id, reserved_for_id, reserved_until,"
        " last_holder_id, cooling_until, first_call_at, last_call_at)",
        buyer_rows=(REACHED, LEFT),
        var_rows=held("var_id"),
        customer_rows=held("customer_id"),
    ),
    # A VAR that gives a professional the first number makes the line that it rings.
    "numbers_destination": Wall(system="SELECT", var="SELECT, INSERT", customer=ALL, buyer="SELECT"),
    # Written once. A change made in another account has its event written in that account's scope.
    "accounts_auditevent": Wall.of_account(
        *["SELECT, INSERT"] * 3,
        writes_of_system=True,
        shown=dict.fromkeys(("var", "customer"), "(concerns_id = {account})"),
    ),
    "numbers_import": Wall.of_account("SELECT", ALL, ALL),
    "numbers_importrow": Wall.of_account("SELECT", ALL, ALL),
    "numbers_job": Wall.of_account("SELECT", ALL, ALL),
    "numbers_jobitem": Wall.of_account("SELECT", ALL, ALL),
    # A customer's orders, which its VAR approves, and the VAR's own.
    "numbers_order": Wall(system="SELECT", var=ALL, customer=ALL),
    "numbers_orderline": Wall(system="SELECT", var=ALL, customer=ALL),
    # What carriers have to do with them is the worker's to write, in the VAR's scope.
    "numbers_carrierorder": Wall(
        system="SELECT", var="SELECT, INSERT, UPDATE", customer="SELECT, INSERT, UPDATE (given_up, next_at)"
    ),
    # What carriers say of connections is for operators: customers read of their orders' lines what they need.
    "numbers_routing": Wall.of_account("SELECT", ALL, "SELECT"),
    # A VAR's; the same shape of wall as of what else belongs to one account.
    "numbers_release": Wall.of_account("SELECT", "SELECT, INSERT, UPDATE", "SELECT"),
    # A VAR's own; the worker looks for those who have some in the system's scope.
    "numbers_stocklevel": Wall.of_account("SELECT", ALL, "SELECT"),
    # Written by a function alone, when a phone system tells of calls.
    "numbers_callevent": Wall(system="SELECT", var="SELECT", customer="SELECT"),
    # Each person's own, whatever kind of account they are at home in.
    "webphone_call": Wall.of_account(*["SELECT, INSERT, UPDATE"] * 3, writes_of_system=True),
    "webphone_location": Wall.of_account(ALL, ALL, ALL, writes_of_system=True),
    # Written by a trigger alone, whatever changes a number.
    "numbers_pastnumber": Wall(system="SELECT", var="SELECT", customer="SELECT"),
}
#: Views of walled tables, which scopes may read. Each shows a role what it may see in the tables.
VIEWS = {"numbers_as_of"}
#: Functions that write with the rights of the tables' owner, and the scopes that may call them.
FUNCTIONS = {
    "numbers_record_calls": ("system", "var"),
    # Makes partitions of calls, and drops those whose time is over: a week after the calls at the earliest.
    "numbers_call_days": ("system",),
}
#: Tables without walls: what each scope may do with them, what the portal may do with them outside all scopes, and why.
OPEN = {
    "account_emailaddress": ("", ALL, "signing in"),
    "account_emailconfirmation": ("", ALL, "signing in"),
    "django_session": ("", ALL, "signing in"),
    "mfa_authenticator": ("", ALL, "signing in"),
    "usersessions_usersession": ("", ALL, "signing in"),
    # Whom an identity provider calls what. A link is made and removed, and never moved to another person.
    "socialaccount_socialaccount": ("", "SELECT, INSERT, DELETE", "signing in"),
    "portal_cache": ("", ALL, "counts of guesses, before anybody has signed in"),
    "numbers_provider": ("SELECT", "SELECT", "the same for every account"),
    "procrastinate_jobs": ("", ALL, "the queue: what a job does, it does in a scope of its own"),
    "procrastinate_events": ("", ALL, "the queue"),
    "procrastinate_periodic_defers": ("", ALL, "the queue"),
    "procrastinate_workers": ("", ALL, "the queue"),
    "django_content_type": ("SELECT", "SELECT", "names of models"),
    "auth_permission": ("SELECT", "SELECT", "names of permissions"),
    "django_migrations": ("", "SELECT", "the age of the tables"),
    # Providers are in the settings, and their tokens are not kept; Django looks for some when it removes a link.
    "socialaccount_socialapp": ("", "", "a library's, not used"),
    "socialaccount_socialtoken": ("", "SELECT, DELETE", "a library's, always empty"),
    "auth_group": ("", "", "a library's, not used"),
    "auth_group_permissions": ("", "", "a library's, not used"),
    "guardian_groupobjectpermission": ("", "", "a library's, not used"),
    "guardian_userobjectpermission": ("", "", "a library's, not used"),
}
#: Of these, a buyer reads which carrier a number comes from.
OPEN_TO_BUYERS = {"numbers_provider"}
