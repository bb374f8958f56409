"""What names a row of a tree: ids, codes, digits; and the same in a request with another row's in their place."""

import base64
import binascii
import re

from allauth.mfa.models import Authenticator
from django.utils.http import int_to_base36

from accounts.models import Account
from numbers.models import PhoneNumber
from tests.access.rows import Tree
from tests.access.world import World
from webphone.models import Call

#: An offer, and the last letter of its signature that says something.
SEAL = re.compile(r"(?<![\w:-])([\w-]{8,}:[\w]{6}:[\w-]{41})([\w-])[\w-](?![\w:-])")
#: Long enough to be no other number, short enough to be inside every field.
MADE_UP = {"V": "V6661", "C": "C66601", "P": "P66601"}


def names(row) -> list[str]:
    """What stands for a row in addresses and forms."""
    found = [str(row.pk)]
    if isinstance(row, Account):
        found.append(row.code)
    if isinstance(row, PhoneNumber):
        found.append(str(row.digits))
    if isinstance(row, Call):
        found.append(row.ref)
    return found


def tokens(tree: Tree) -> set[str]:
    """Everything that names a row of this tree."""
    return {name for row in tree.rows for name in names(row)}


def twins(world: World) -> dict[str, str]:
    """What names a row of A -> what names the same row of B."""
    found = {}
    for mine, theirs in zip(world.a.rows, world.b.rows, strict=True):
        assert type(mine) is type(theirs)
        found |= dict(zip(names(mine), names(theirs), strict=True))
    return found


def siblings(world: World) -> dict[str, str]:
    """What names a row of A -> what names one of the same kind that the sibling has. Ids of different kinds of rows are
    the same: of each kind it is the sibling's first, which has the same id too."""
    first = {type(row): row for row in reversed(world.sibling.rows) if not isinstance(row, Authenticator)}
    assert len({row.pk for row in first.values()}) == 1
    found = {}
    for row in world.a.rows:
        if type(row) in first and row != world.a.var:
            found |= dict(zip(names(row), names(first[type(row)]), strict=True))
    return found


def made_up(token: str) -> str:
    """A name of the same form that no row has."""
    if seal := SEAL.fullmatch(token):
        return f"{seal[1]}{'B' if seal[2] == 'A' else 'A'}"
    if token[0] in MADE_UP and "-" not in token:
        return MADE_UP[token[0]]
    return f"{token[:-7]}6{token[-6:]}" if len(token) > 7 else f"5{token[1:]}"


def swapped(text: str, old: str, new: str) -> str:
    """The text with one name in place of another: as it stands, as the code of a person, and inside cursors."""
    text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(old)}(?![0-9A-Za-z])", new, text)
    if old.isdigit() and new.isdigit():
        text = re.sub(rf"(?<=/){int_to_base36(int(old))}(?=-)", int_to_base36(int(new)), text)
    return re.sub(r"(?<=cursor=)[\w-]{8,}", lambda found: in_cursor(found[0], old, new), text)


def in_cursor(text: str, old: str, new: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
    changed = re.sub(rf"(?<![0-9A-Za-z]){re.escape(old)}(?![0-9A-Za-z])", new, raw)
    return base64.urlsafe_b64encode(changed.encode()).decode().rstrip("=")


def found_in(text: str, wanted: set[str]) -> set[str]:
    """Which of these names stand in the text."""
    return set(re.findall(r"(?<![0-9A-Za-z])(?:[VCP][0-9]+|[0-9]{7,})(?![0-9A-Za-z])", text)) & wanted
