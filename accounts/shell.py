"""What the frame of every page shows: who acts, the menu, the quick search, the help of this page."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.policy import SUPPORT, Door, Role, allows, needed_for

#: (address, label, icon); an entry is shown to whom the policy opens its address.
MENU = [
    ("account_home", _("Home"), "home"),
    ("numbers:list", _("Phone Numbers"), "list-numbers"),
    ("orders:list", _("Orders"), "shopping-cart"),
    ("destinations:list", _("Destinations"), "phone-incoming"),
    ("people", _("People"), "users"),
    ("grants", _("Delegation"), "user-share"),
    ("accounts", _("Accounts"), "building"),
    ("calls:systems", _("Phone systems"), "server"),
    ("history", _("History"), "history"),
    ("access", _("Access"), "key"),
    ("account_settings", _("Settings"), "settings"),
    ("webphone:phone", _("WebPhone"), "phone"),
    ("help", _("Help"), "help"),
]
#: What else the command palette leads to: (address, label); shown to whom the policy opens its address.
COMMANDS = [
    ("numbers:add", _("Add numbers")),
    ("numbers:import", _("Import a file of numbers")),
    ("numbers:order", _("Order numbers")),
    ("numbers:jobs", _("Jobs")),
    ("numbers:imports", _("Imports")),
    ("numbers:compare", _("Compare with a carrier’s statement")),
    ("numbers:released", _("Released numbers")),
    ("numbers:runs", _("Consecutive numbers")),
    ("numbers:as_of", _("Phone numbers as of a day")),
    ("destinations:add", _("Add a destination")),
    ("person_invite", _("Invite a person")),
    ("accounts_add", _("Add an account")),
    ("grant_give", _("Give a support agent access")),
    ("calls:add", _("Add a phone system")),
    ("webphone:calls", _("My calls")),
    ("webphone:telephones", _("My telephones")),
]
#: The same for pages of the person's own, which belong to no account.
OWN_COMMANDS = [
    ("profile", _("Profile")),
    ("mfa_index", _("Security")),
    ("account_change_password", _("Change the password")),
]
#: address -> the help topic that explains it
HELP_TOPICS = {
    "numbers:list": "phone-numbers",
    "numbers:detail": "phone-number",
    "calls:systems": "phone-systems",
    "calls:system": "phone-systems",
    "calls:add": "phone-systems",
    "calls:change": "phone-systems",
    "calls:address": "phone-systems",
    "numbers:as_of": "as-of",
    "numbers:runs": "in-a-row",
    "numbers:add": "add",
    "numbers:import": "import",
    "numbers:compare": "compare",
    "numbers:released": "released",
    "numbers:levels": "notices",
    "numbers:level_add": "notices",
    "numbers:imports": "import",
    "numbers:import_page": "import",
    "numbers:order": "orders",
    "numbers:order_review": "orders",
    "numbers:order_ask": "orders",
    "orders:deliver": "orders",
    "orders:list": "orders",
    "orders:order": "orders",
    "orders:refuse": "orders",
    "numbers:assign": "number-life",
    "numbers:unassign": "number-life",
    "numbers:reserve": "number-life",
    "numbers:cancel_reservation": "number-life",
    "numbers:end_cooling": "number-life",
    "numbers:options": "number-life",
    "numbers:release": "number-life",
    "numbers:delete": "number-life",
    "numbers:bulk_assign": "many-numbers",
    "numbers:bulk_unassign": "many-numbers",
    "numbers:bulk_reserve": "many-numbers",
    "numbers:bulk_cancel_reservation": "many-numbers",
    "numbers:bulk_end_cooling": "many-numbers",
    "numbers:bulk_options": "many-numbers",
    "numbers:bulk_release": "many-numbers",
    "numbers:bulk_delete": "many-numbers",
    "numbers:jobs": "many-numbers",
    "numbers:job": "many-numbers",
    "webphone:phone": "webphone",
    "webphone:calls": "webphone",
    "webphone:call": "webphone",
    "webphone:telephones": "webphone",
    "webphone:telephone_add": "webphone",
    "profile": "profile",
    "notices": "notices",
    "notices_chosen": "notices",
    "access": "access",
    "history": "history",
    "grants": "grants",
    "grant": "grants",
    "grant_give": "grants",
    "destinations:list": "destinations",
    "destinations:detail": "destinations",
    "destinations:add": "destinations",
    "destinations:change": "destinations",
    "destinations:delete": "destinations",
    "people": "people",
    "person": "people",
    "person_invite": "people",
    "accounts": "accounts",
    "accounts_add": "accounts",
    "accounts_edit": "accounts",
    "accounts_invite": "accounts",
    "accounts_close": "accounts",
    "account_settings": "settings",
    "mfa_index": "security",
    "mfa_activate_totp": "security",
    "mfa_deactivate_totp": "security",
    "mfa_view_recovery_codes": "security",
    "mfa_generate_recovery_codes": "security",
    "mfa_add_webauthn": "security",
    "mfa_edit_webauthn": "security",
    "mfa_remove_webauthn": "security",
    "account_change_password": "security",
}


@dataclass(frozen=True)
class MenuItem:
    """One line of the menu; ``current`` as in ARIA: *page* for the page itself, *true* for what is below it."""

    label: str
    url: str
    icon: str
    current: str


def shell(request) -> dict:
    """Context processor: the frame's variables; for strangers, and on error pages, just ``actor`` as None."""
    actor = getattr(request, "actor", None)
    if actor is None or request.resolver_match is None:
        return {"actor": None}
    if actor.person.lacks_second_factor:
        return {"actor": actor}  # nothing of the frame would open
    here, code = request.resolver_match.view_name, actor.account.code
    return {
        "actor": actor,
        **frame(actor.role, code, here, get_language(), inside=actor.is_inside, viewing=actor.is_viewing),
        **banner(request, actor),
    }


def banner(request, actor: Actor) -> dict:
    """What a page says above everything else while its account is not the person's own."""
    if not actor.is_inside:
        return {}
    seconds = max((actor.access.expires_at - timezone.now()).total_seconds(), 0)
    return {"inside": {"path": actor.chain[:-1], "minutes_left": ceil(seconds / 60), "seconds_left": int(seconds)}}


def commands(actor: Actor) -> list[tuple[str, str]]:
    """The pages and actions that the policy opens to the actor: their names and addresses."""

    def may(name: str) -> bool:
        needed = needed_for(name)
        return isinstance(needed, str) and actor.may(needed)

    code = actor.account.code
    menu = [(name, label) for name, label, _icon in MENU]
    here = [(str(label), reverse(name, args=[code])) for name, label in [*menu, *COMMANDS] if may(name)]
    return here + [(str(label), reverse(name)) for name, label in OWN_COMMANDS]


def current_for(name: str, here: str) -> str:
    """Whether the line that leads to ``name`` is where one is, on the page called ``here``."""
    if name == here:
        return "page"
    section, colon, _page = name.partition(":")
    return "true" if colon and here.startswith(f"{section}:") else ""


@lru_cache(maxsize=10_000)
def frame(role: Role, code: str, here: str, language: str, *, inside: bool, viewing: bool) -> dict:
    """What the frame offers this role on the page called ``here``: the same for everybody who has it."""

    def may(permission: str | Door | None) -> bool:
        return isinstance(permission, str) and allows(role, permission, inside=inside, viewing=viewing)

    return {
        "menu": tuple(
            MenuItem(str(label), reverse(name, args=[code]), icon, current_for(name, here))
            for name, label, icon in MENU
            if may(needed_for(name))
        ),
        "quick_search_url": quick_search_url(role, code, may("numbers.view")),
        "palette_url": reverse("go_to", args=[code]) if may("home.view") else "",
        "help_url": reverse("help_topic", args=[code, HELP_TOPICS.get(here, "home")]),
    }


def quick_search_url(role: Role, code: str, sees_numbers: bool) -> str:
    """Where the field in the bar leads: a support agent's home looks numbers up in the accounts that were granted."""
    if sees_numbers:
        return reverse("numbers:find", args=[code])
    return reverse("account_home", args=[code]) if role in SUPPORT else ""
