"""Every address of the portal, as the resolver has it, and values for the arguments in them."""

from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import int_to_base36

from accounts.notice_mail import token_for
from portal.pages import ListPage

#: Argument of an address -> what stands in it for a person who acts in an account, given the ``World``.
BUILDERS = {
    "code": lambda world, account, person: account.code,
    "other": lambda world, account, person: world.below(account).code,
    "digits": lambda world, account, person: str(world.number_of(account).digits),
    "topic": lambda world, account, person: "phone-numbers",
    "person_id": lambda world, account, person: str(world.colleague_of(account, person).pk),
    "grant_id": lambda world, account, person: str(world.grant_in(account).pk),
    "destination_id": lambda world, account, person: str(world.destination_of(account).pk),
    "import_id": lambda world, account, person: str(world.import_of(account).pk),
    "number": lambda world, account, person: "1",
    "job_id": lambda world, account, person: str(world.job_of(account).pk),
    "provider_id": lambda world, account, person: str(world.provider.pk),
    "order_id": lambda world, account, person: str(world.order_of(account).pk),
    "release_id": lambda world, account, person: str(world.release_of(account).pk),
    "system_id": lambda world, account, person: str(world.system_of(account).pk),
    "ref": lambda world, account, person: world.call_of(person).ref,
    "level_id": lambda world, account, person: str(world.level_of(account).pk),
    "notice_id": lambda world, account, person: str(world.notice_of(person).pk),
    "token": lambda world, account, person: token_for(person.pk, ["work"]),
    "location_id": lambda world, account, person: str(world.location_of(person).pk),
    # None is in the settings: tests/accounts/sso/ has some.
    "provider": lambda world, account, person: "example",
    "session_id": lambda world, account, person: str(world.session_of(person).pk),
    "pk": lambda world, account, person: str(world.passkey_of(person).pk),
    "uidb36": lambda world, account, person: int_to_base36(person.pk),
    "key": lambda world, account, person: "a-key",
}


class NoBuilder(LookupError):
    """An address has an argument that nobody has thought of."""


@dataclass(frozen=True)
class Address:
    """An address: its name in the policy, its arguments in order, and the view behind it."""

    name: str
    arguments: tuple[str, ...]
    view: object

    @property
    def is_of_account(self) -> bool:
        return "code" in self.arguments

    @property
    def is_list(self) -> bool:
        """Whether this is the page of a list, not an export of one."""
        return issubclass(getattr(self.view, "view_class", object), ListPage) and not self.is_export

    @property
    def is_export(self) -> bool:
        return bool(getattr(self.view, "view_initkwargs", {}).get("export"))

    def path(self, world, account, person, **changed: str) -> str:
        """The address of what this person finds in this account; ``changed`` arguments are as given."""
        values = {}
        for argument in self.arguments:
            if argument not in BUILDERS:
                raise NoBuilder(f"{self.name} has the argument {argument}: add it to BUILDERS in {__name__}.")
            values[argument] = changed.get(argument) or BUILDERS[argument](world, account, person)
        return reverse(self.name, kwargs=values)


def walk(patterns=None, namespace: str = "", arguments: tuple[str, ...] = ()):
    """Every named address. An address without a name has none in the policy either: that is refused to everybody."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        inner = getattr(pattern.pattern, "converters", {}) or pattern.pattern.regex.groupindex
        found = (*arguments, *inner)
        if isinstance(pattern, URLResolver):
            below = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, below, found)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", found, pattern.callback)


# Where two patterns share a name, the first one answers.
ALL = {address.name: address for address in reversed(list(walk()))}
LISTS = [address for address in ALL.values() if address.is_list]
