"""Who somebody may be: each role at home, and each way into each account below."""

from dataclasses import dataclass

from accounts import policy

#: kind of account -> the kinds on the way to each account below it
PATHS = {
    "system": (("var",), ("var", "company"), ("var", "professional")),
    "var": (("company",), ("professional",)),
}


@dataclass(frozen=True)
class Identity:
    """Who somebody is: at home in the account of a kind, with a role there; ``inside`` those they entered.

    ``granted`` is what a support agent was given, on the first account below their own.
    """

    name: str
    home: str = ""
    role: str = "administrator"
    granted: str = ""
    inside: tuple[str, ...] = ()
    is_active: bool = True

    @property
    def is_nobody(self) -> bool:
        """Whether no person is signed in, or none who counts."""
        return not self.home or not self.is_active

    @property
    def acting_in(self) -> str:
        """The kind of the account that is acted in."""
        return self.inside[-1] if self.inside else self.home

    @property
    def may_enter_the_sibling(self) -> bool:
        """Whether one more customer of the VAR is below them; agents of the VAR were granted others."""
        return self.home == "system" or (self.home == "var" and self.role == "administrator")

    @property
    def sees_the_sibling(self) -> bool:
        """Whether anything of it is shown where they act: not inside another customer's account."""
        return self.may_enter_the_sibling and self.acting_in in ("system", "var")

    @property
    def policy_role(self) -> policy.Role:
        return policy.role_inside(self.acting_in) if self.inside else policy.role_of(self.home, self.role)

    @property
    def is_viewing(self) -> bool:
        return bool(self.inside) and self.granted == "view_account"

    def may(self, permission: str) -> bool:
        return policy.allows(self.policy_role, permission, inside=bool(self.inside), viewing=self.is_viewing)


def identities():
    """Everybody: each role at home, and each way into each account below, to manage and to view."""
    yield Identity("anonymous")
    yield Identity("deactivated VAR administrator", "var", is_active=False)
    yield Identity("user of a company", "company", "user")
    yield Identity("user of a VAR", "var", "user")
    for home, role in policy._ROLES:
        grants = ("",) if role == "administrator" else ("view_account", "manage_account")
        for granted in grants:
            way = {"": "", "view_account": " to view", "manage_account": " to manage"}[granted]
            yield Identity(f"{home} {role}{way}", home, role, granted)
            for path in PATHS.get(home, ()):
                yield Identity(f"{home} {role}{way} in {' in '.join(path)}", home, role, granted, path)


IDENTITIES = {identity.name: identity for identity in identities()}
