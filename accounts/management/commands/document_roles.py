"""``manage.py document_roles``: write docs/roles.md, which says who may do what, from the policy."""

from functools import partial

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.actor import Actor
from accounts.filters import KINDS_BELOW
from accounts.models import Account, Person
from accounts.policy import ADDRESSES, CONFIRMED, PERMISSIONS, Door, Role, allows, needed_for, role_inside
from accounts.tables import account_columns
from accounts.views.accounts import AccountList
from accounts.walls import OPEN, OPEN_TO_BUYERS, WALLS
from portal.pages import ListPage

PATH = settings.BASE_DIR / "docs" / "roles.md"
BEGINNING = """# Roles

Written by `make docs` from `accounts/policy.py`, which decides; a test is red while this page differs from it.

"""
PERMISSION_TEXT = """## Permissions

**home**: in one's own account. **inside**: also while working in an account below one's own, where one has the role of
its administrator. **looks**: inside even with an access that is for viewing alone.

"""
ADDRESS_TEXT = """
## Addresses

What each address needs: a permission, or one of these. An address that is not here is refused to everybody. †: the
person confirms their identity first, unless they did within a quarter of an hour (`CONFIRMED`).

"""
COLUMN_TEXT = """
## Columns of lists

What the administrator of each kind of account sees, on the page, in CSV, XLSX and PDF. Somebody who works in an account
sees what its administrator sees. A column that is not here neither sorts nor searches.

"""
TABLE_TEXT = """
## Tables of the database

What a page may do in each scope, with rows of the account alone (`accounts/walls/`): rights as in GRANT, with the
columns where they are for some alone. **buyer**: an order that takes numbers of the VAR's stock. **outside**: signing
in, profile, entering and leaving, and the worker before it knows the account.

"""
KINDS = Account.Kind.SYSTEM, Account.Kind.VAR, Account.Kind.COMPANY, Account.Kind.PROFESSIONAL


class Command(BaseCommand):
    help = "Write docs/roles.md from the policy."
    requires_system_checks = []

    def handle(self, *args, **options):
        PATH.write_text(document())


def document() -> str:
    """The page."""
    addressed = [ADDRESS_TEXT, *doors(), "\n", *addresses()]
    return "".join(
        [BEGINNING, PERMISSION_TEXT, *permissions(), *addressed, COLUMN_TEXT, *columns(), TABLE_TEXT, *tables()]
    )


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(line)} |\n" for line in lines]


def permissions() -> list[str]:
    rows = []
    for name, permission in PERMISSIONS.items():
        reach = "home"
        if permission.inside:
            reach = "inside" if permission.changes else "looks"
        rows.append([f"`{name}`", *(reach if role in permission.roles else "" for role in Role)])
    return table(["", *(str(role.label) for role in Role)], rows)


def doors() -> list[str]:
    return [f"- *{door.name.lower().replace('_', ' ')}*: {door.value}\n" for door in Door]


def addresses() -> list[str]:
    rows = []
    paths = {name: path for name, path, _pattern in reversed(list(patterns()))}
    for name in ADDRESSES:
        needed = [said(needed_for(name, method)) + proof(name, method) for method in ("GET", "POST")]
        rows.append([f"`{name}`", f"`{paths.get(name, '')}`", *needed])
    return table(["", "Path", "GET", "POST"], rows)


def said(needed: str | Door | None) -> str:
    if needed is None:
        return "refused"
    return f"*{needed.name.lower().replace('_', ' ')}*" if isinstance(needed, Door) else f"`{needed}`"


def proof(address: str, method: str) -> str:
    return " †" if method in CONFIRMED.get(address, ()) else ""


def columns() -> list[str]:
    rows = []
    for name, page in lists():
        seen = {f"`{name}`": page.columns}
        if page is AccountList:
            seen = {f"`{name}?kind={kind}`": partial(account_columns, kind=kind) for kind in KINDS[1:]}
        for address, columns_for in seen.items():
            shown = []
            for kind in KINDS:
                account = Account(kind=kind)
                actor = Actor.at_home(Person(account=account, role=Person.Role.ADMINISTRATOR))
                is_open = allows(role_inside(kind), needed_for(name)) and (
                    page is not AccountList or columns_for.keywords["kind"] in KINDS_BELOW[kind]
                )
                shown.append(", ".join(columns_for(actor).values()) if is_open else "")
            rows.append([address, *shown])
    return table(["", *(str(kind.label) for kind in KINDS)], rows)


def lists():
    """The lists, each by the name of its address."""
    for name, _path, pattern in patterns():
        page = getattr(pattern.callback, "view_class", object)
        if issubclass(page, ListPage) and not pattern.callback.view_initkwargs.get("export"):
            yield name, page


def tables() -> list[str]:
    rows = []
    for name, wall in WALLS.items():
        rows.append([f"`{name}`", *wall.rights.values(), wall.portal])
    for name, (in_scopes, outside, _reason) in OPEN.items():
        buyer = "SELECT" if name in OPEN_TO_BUYERS else ""
        rows.append([f"`{name}`", *[in_scopes] * 3, buyer, outside])
    return table(["", "system", "VAR", "customer", "buyer", "outside"], rows)


def patterns(below=None, namespace: str = "", path: str = "/"):
    """Every address: its name, its path, and its pattern."""
    for pattern in get_resolver().url_patterns if below is None else below:
        whole = path + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern.url_patterns, inner, whole)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", whole, pattern
