"""``manage.py document_roles``: write docs/roles.md, which says who may do what, from the policy."""

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.policy import ADDRESSES, PERMISSIONS, Door, Role, needed_for

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

What each address needs: a permission, or one of these. An address that is not here is refused to everybody.

"""


class Command(BaseCommand):
    help = "Write docs/roles.md from the policy."
    requires_system_checks = []

    def handle(self, *args, **options):
        PATH.write_text(document())


def document() -> str:
    """The page."""
    return "".join([BEGINNING, PERMISSION_TEXT, *permissions(), ADDRESS_TEXT, *doors(), "\n", *addresses()])


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
    paths = dict(reversed(list(patterns())))
    for name in ADDRESSES:
        needed = [said(needed_for(name, method)) for method in ("GET", "POST")]
        rows.append([f"`{name}`", f"`{paths.get(name, '')}`", *needed])
    return table(["", "Path", "GET", "POST"], rows)


def said(needed: str | Door | None) -> str:
    if needed is None:
        return "refused"
    return f"*{needed.name.lower().replace('_', ' ')}*" if isinstance(needed, Door) else f"`{needed}`"


def patterns(below=None, namespace: str = "", path: str = "/"):
    """Every address by its name, with its path."""
    for pattern in get_resolver().url_patterns if below is None else below:
        whole = path + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern.url_patterns, inner, whole)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", whole
