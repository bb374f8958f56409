"""The search rows of the lists about accounts and people."""

import re
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import VERBS, told
from accounts.holdings import Held, holdings
from accounts.models import LONG_AGO, NO_END, Access, Account, AuditEvent, Grant, Person
from accounts.tables import account_columns
from portal.filters import ChoiceWords, Digits, ListFilter, Words, ids_of
from portal.listings import TableListing, containing, having
from portal.phones import international, is_e164
from portal.texts import isolated
from portal.times import moment


def statuses():
    return [(status.value, str(status.label)) for status in Account.Status]


#: The kinds of account below one of a kind, as tabs name them.
KINDS_BELOW = {
    Account.Kind.SYSTEM: {
        "var": gettext_lazy("VARs"),
        "company": gettext_lazy("Companies"),
        "professional": gettext_lazy("Professionals"),
    },
    Account.Kind.VAR: {"company": gettext_lazy("Companies"), "professional": gettext_lazy("Professionals")},
}


class AccountFilter(ListFilter):
    """Search of the accounts below the actor's. Closed ones are seen only where they are asked for."""

    code = Words(label=gettext_lazy("Code"))
    name = Words(label=gettext_lazy("Name"))
    var = Words(label=gettext_lazy("VAR"))
    contact = Words(label=gettext_lazy("Contact"))
    phone = Digits(label=gettext_lazy("Phone"))
    status = ChoiceWords(label=gettext_lazy("Status"), choices=statuses)

    default_sort = "name"
    kept = ("kind",)
    states = {"all": gettext_lazy("All"), **{status.value: status.label for status in Account.Status}}
    unsorted = frozenset({"companies", "professionals", "used", "available", "numbers"})
    orders = {
        "code": ("code_length", "code"), "name": ("name_folded",), "var": ("parent__name_folded",), "quota": ("quota",),
        "cooling": ("cooling_days",), "contact": ("contact_folded",), "phone": ("phone",), "status": ("status",),
    }  # fmt: skip
    blanks = {"contact": Q(contact_folded=""), "phone": Q(phone="")}

    class Meta:
        model = Account
        fields = []

    def __init__(self, actor, query):
        self.kinds = KINDS_BELOW[actor.account.kind]
        asked = query.get("kind", "").strip()
        self.kind = asked if asked in self.kinds else next(iter(self.kinds))
        super().__init__(actor, account_columns(actor, self.kind), query)
        if asked and asked != self.kind:
            self.problems.append(_("There is no such tab. The first one is shown."))

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood = self.understood
        rows = having(
            Account.visible_to(self.actor).filter(kind=self.kind).listed(),
            {
                "code_folded": understood["code"],
                "name_folded": understood["name"],
                "parent__name_folded": understood.get("var", ()),
                "contact_folded": understood["contact"],
            },
        )
        rows = containing(rows, "phone", understood["phone"])
        if understood["status"]:
            rows = rows.filter(status__in=understood["status"])
        labels = dict(statuses())

        def texts(row: dict) -> dict[str, str]:
            return {
                "code": row["code"],
                "name": row["name"],
                "var": row["parent__name"],
                "companies": str(row["company_count"]),
                "professionals": str(row["professional_count"]),
                "used": str(row["held"].used),
                "available": str(row["held"].available),
                "numbers": str(row["held"].total),
                "quota": "" if row["number_quota"] is None else str(row["number_quota"]),
                "cooling": str(row["cooling_days"]),
                "contact": row["contact"],
                "phone": row["phone"],
                "status": labels[row["status"]],
            }

        return self.listed(
            rows,
            fields=("code", "name", "parent__name", "parent__code", "number_quota", "cooling_days", "contact", "phone",
                    "status"),
            texts=texts,
            states=(("all", ~Q(status=Account.Status.CLOSED)), *((s.value, Q(status=s)) for s in Account.Status)),
            complete=self.count,
        )  # fmt: skip

    def count(self, rows: list[dict]) -> None:
        """Add to each row what is below its account, and its numbers."""
        ids = [row["pk"] for row in rows]
        below = Account.visible_to(self.actor).count_by_parent(ids) if self.kind == Account.Kind.VAR else {}
        held = holdings().counted(self.actor, self.kind, ids)
        for row in rows:
            row["company_count"] = below.get((row["pk"], "company"), 0)
            row["professional_count"] = below.get((row["pk"], "professional"), 0)
            row["held"] = held.get(row["pk"], Held())


def modes():
    return [(True, _("manage")), (False, _("view"))]


def ends():
    return [(end.value, str(end.label)) for end in Access.End]


class AccessFilter(ListFilter):
    """Search of an account's access history."""

    who = Words(label=gettext_lazy("Who"))
    home = Words(label=gettext_lazy("From"))
    why = ChoiceWords(label=gettext_lazy("Why it ended"), choices=ends)
    reason = Words(label=gettext_lazy("Reason"))
    mode = ChoiceWords(label=gettext_lazy("Permission"), choices=modes)

    default_sort = "entered"
    descends_at_first = True
    states = {
        "all": gettext_lazy("All"),
        "inside": gettext_lazy("Inside now"),
        "ended": gettext_lazy("Ended"),
    }
    orders = {
        "who": ("who",), "home": ("home",), "entered": ("started_at",), "ended": ("until",), "why": ("ended_why",),
        "reason": ("reason_folded",), "mode": ("manages",), "changes": ("changes",),
    }  # fmt: skip
    blanks = {"reason": Q(reason_folded=""), "why": Q(ended_why="")}

    class Meta:
        model = Access
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        now, understood = timezone.now(), self.understood
        rows = having(
            Access.visible_to(self.actor).filter(account=self.actor.account).history(now),
            {"who": understood["who"], "home": understood["home"], "reason_folded": understood["reason"]},
        )
        if understood["why"]:
            rows = rows.filter(ended_why__in=understood["why"])
        if understood["mode"]:
            rows = rows.filter(manages__in=understood["mode"])
        zone = ZoneInfo(self.actor.person.time_zone)
        whys, words = dict(ends()), dict(modes())

        def texts(row: dict) -> dict[str, str]:
            over = row["until"] <= now
            return {
                "who": row["person__name"],
                "home": row["person__account__name"],
                "entered": moment(row["started_at"], zone),
                "ended": moment(row["until"], zone) if over else _("inside now"),
                "why": whys.get(row["ended_why"], whys["expired"]) if over else "",
                "reason": row["reason"],
                "mode": words[row["manages"]],
                "changes": str(row["changes"]),
            }

        return self.listed(
            rows,
            fields=("person__name", "person__account__name", "started_at", "until", "ended_why", "reason", "manages",
                    "changes"),
            texts=texts,
            states=(("inside", Q(until__gt=now)), ("ended", Q(until__lte=now))),
        )  # fmt: skip


#: How a time is kept in what was before and after.
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:")


def verbs():
    return [(verb, str(words)) for verb, words in VERBS.items()]


def differences(before: dict, after: dict, zone: ZoneInfo) -> str:
    """What changed, as a person would write it: ``cooling days: 30 → 10``. Times are in ``zone``."""
    names = [*before, *(name for name in after if name not in before)]
    said = []
    for name in names:
        if name not in before and after[name] in (None, ""):
            continue
        parts = [shown(values[name], zone) for values in (before, after) if name in values]
        said.append(f"{name.replace('_', ' ')}: {' → '.join(parts)}")
    return " · ".join(said)


#: So many of several values are shown.
SHOWN_OF_MANY = 10


def shown(value, zone: ZoneInfo) -> str:
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, list):
        more = len(value) - SHOWN_OF_MANY
        said = ", ".join(shown(one, zone) for one in value[:SHOWN_OF_MANY])
        return said + (" " + _("and %(count)d more") % {"count": more} if more > 0 else "")
    if isinstance(value, str) and is_e164(value):
        return international(value)
    if isinstance(value, str) and TIME.match(value) and (when := parse_datetime(value)):
        return moment(when, zone)
    return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else isolated(str(value))


class HistoryFilter(ListFilter):
    """Search of an account's history."""

    who = Words(label=gettext_lazy("Who"))
    home = Words(label=gettext_lazy("From"))
    what = ChoiceWords(label=gettext_lazy("What"), choices=verbs)
    of = Words(label=gettext_lazy("Of"))

    default_sort = "at"
    descends_at_first = True
    kept = ("kind", "number_id")
    states = {
        "all": gettext_lazy("All"),
        "inside": gettext_lazy("By staff from above"),
        "own": gettext_lazy("By our own people"),
    }
    orders = {"at": ("at",), "who": ("who",), "home": ("home",), "what": ("verb",), "of": ("of",), "change": ("verb",)}

    class Meta:
        model = AuditEvent
        fields = []

    def __init__(self, actor, columns, query):
        super().__init__(actor, columns, query)
        if actor.account.kind != Account.Kind.SYSTEM:
            self.kinds = {"here": gettext_lazy("Done here"), "others": gettext_lazy("Done to us by others")}
            self.kind = "others" if query.get("kind") == "others" else "here"
        if self.kind == "others":
            # Others did it in their own account: there is nothing to tell apart.
            self.states, self.state = {"all": gettext_lazy("All")}, "all"
        #: The number of which everything is asked that the actor may read, wherever it was done.
        self.number_id = next(iter(ids_of([query.get("number_id", "")])), None)
        if self.number_id:
            self.kinds, self.kind = {}, ""

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood = self.understood
        if self.number_id:
            which = {"target_type": "number", "target_id": self.number_id}
        else:
            which = {"concerns" if self.kind == "others" else "account": self.actor.account}
        rows = having(
            AuditEvent.told_to(self.actor).filter(**which).history(),
            {"who": understood["who"], "home_folded": understood["home"], "of": understood["of"]},
        )
        if understood["what"]:
            rows = rows.filter(verb__in=understood["what"])
        zone = ZoneInfo(self.actor.person.time_zone)
        words = dict(verbs())

        def texts(row: dict) -> dict[str, str]:
            return {
                "at": moment(row["at"], zone),
                "who": row["person__name"] or _("the portal itself"),
                "home": row["home"] or "",
                "what": words[row["verb"]],
                "of": _("Order %(number)s") % {"number": row["target"]}
                if row["target_type"] == "order"
                else row["target"],
                "change": differences(row["before"], told(self.actor, row["account"], row["verb"], row["after"]), zone),
            }

        return self.listed(
            rows,
            fields=("at", "account", "person__name", "home", "verb", "target_type", "target", "before", "after"),
            texts=texts,
            states=(("inside", Q(access__isnull=False)), ("own", Q(access=None))) if len(self.states) > 1 else (),
        )


def person_roles():
    return [(role.value, str(role.label)) for role in Person.Role]


def person_states():
    return [("active", _("Active")), ("invited", _("Invited")), ("deactivated", _("Deactivated"))]


class PersonFilter(ListFilter):
    """Search of an account's people."""

    name = Words(label=gettext_lazy("Name"))
    email = Words(label=gettext_lazy("E-mail"))
    role = ChoiceWords(label=gettext_lazy("Role"), choices=person_roles)
    state = ChoiceWords(label=gettext_lazy("State"), choices=person_states)

    default_sort = "name"
    states = {
        "all": gettext_lazy("All"),
        "active": gettext_lazy("Active"),
        "invited": gettext_lazy("Invited"),
        "deactivated": gettext_lazy("Deactivated"),
    }
    orders = {
        "name": ("name_folded",), "email": ("email_folded",), "role": ("role", "name_folded"),
        "state": ("state", "name_folded"), "signed_in": ("signed_in",),
    }  # fmt: skip
    blanks = {"signed_in": Q(signed_in=LONG_AGO)}

    class Meta:
        model = Person
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood = self.understood
        rows = having(
            Person.visible_to(self.actor).listed(),
            {"name_folded": understood["name"], "email_folded": understood["email"]},
        )
        if understood["role"]:
            rows = rows.filter(role__in=understood["role"])
        if understood["state"]:
            rows = rows.filter(state__in=understood["state"])
        zone = ZoneInfo(self.actor.person.time_zone)
        roles, states = dict(person_roles()), dict(person_states())

        def texts(row: dict) -> dict[str, str]:
            return {
                "name": row["name"],
                "email": row["email"],
                "role": roles[row["role"]],
                "state": states[row["state"]],
                "signed_in": moment(row["signed_in"], zone) if row["signed_in"] > LONG_AGO else "",
            }

        return self.listed(
            rows,
            fields=("name", "email", "role", "state", "signed_in"),
            texts=texts,
            states=tuple((state, Q(state=state)) for state, _name in person_states()),
        )


def grant_modes():
    return [("manage_account", _("manage")), ("view_account", _("view"))]


class GrantFilter(ListFilter):
    """Search of what was granted to an account's support agents."""

    agent = Words(label=gettext_lazy("Support agent"))
    account = Words(label=gettext_lazy("Account"))
    mode = ChoiceWords(label=gettext_lazy("Permission"), choices=grant_modes)
    by = Words(label=gettext_lazy("Granted by"))

    default_sort = "agent"
    states = {"all": gettext_lazy("All"), "live": gettext_lazy("In force"), "ended": gettext_lazy("Ended")}
    orders = {
        "agent": ("agent_folded", "account_folded"), "account": ("account_folded", "agent_folded"),
        "mode": ("permission__codename", "agent_folded"), "until": ("ends",), "by": ("by_folded", "agent_folded"),
    }  # fmt: skip

    class Meta:
        model = Grant
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood, now = self.understood, timezone.now()
        rows = having(
            Grant.visible_to(self.actor).listed(),
            {
                "agent_folded": understood["agent"],
                "account_folded": understood["account"],
                "by_folded": understood["by"],
            },
        )
        if understood["mode"]:
            rows = rows.filter(permission__codename__in=understood["mode"])
        zone = ZoneInfo(self.actor.person.time_zone)
        words = dict(grant_modes())

        def texts(row: dict) -> dict[str, str]:
            name, code = row["content_object__name"], row["content_object__code"]
            return {
                "agent": row["user__name"],
                "account": f"{name} ({code})",
                "account_name": name,
                "account_code": code,
                "mode": words[row["permission__codename"]],
                "until": moment(row["ends"], zone) if row["ends"] < NO_END else _("no end"),
                "by": row["by"],
            }

        return self.listed(
            rows,
            fields=("user__name", "content_object__name", "content_object__code", "permission__codename", "ends", "by"),
            texts=texts,
            states=(("live", Q(ends__gt=now)), ("ended", Q(ends__lte=now))),
        )
