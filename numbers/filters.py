"""What people type into the search row of the numbers, understood or refused with a sentence."""

from functools import cache, reduce
from operator import or_

from django.db.models import Q
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from numbers.actions.verbs import OF_CUSTOMERS, OF_VARS
from numbers.listing import USES, Listing, use_text
from numbers.models import Destination, Job, JobItem, PhoneNumber
from portal.filters import ChoiceWords, Digits, ListFilter, Words
from portal.listings import Fold, TableListing, having
from portal.times import moment


def status_names():
    return [(True, _("Active")), (False, _("Pending"))]


def use_names():
    return names_of_uses(get_language())


@cache
def names_of_uses(language: str) -> list[tuple[tuple[str, str], str]]:
    return [(use, use_text(*use)) for use in USES]


def verb_names() -> list[tuple[str, str]]:
    return [(verb.slug, str(verb.label)) for verb in (*OF_VARS, *OF_CUSTOMERS)]


class PhoneNumberFilter(ListFilter):
    """The search row and Set Filter of the numbers."""

    number = Digits(label=gettext_lazy("Number"))
    used_by = Words(label=gettext_lazy("Used by"))
    company = Words(label=gettext_lazy("Company"))
    var = Words(label=gettext_lazy("VAR"))
    reserved_for = Words(label=gettext_lazy("Reserved for"))
    use = ChoiceWords(label=gettext_lazy("Use"), choices=use_names)
    provider = Words(label=gettext_lazy("Provider"))
    status = ChoiceWords(label=gettext_lazy("Status"), choices=status_names)

    default_sort = "number"
    states = {
        "all": gettext_lazy("All"),
        "used": gettext_lazy("Numbers Used"),
        "available": gettext_lazy("Numbers Available"),
        "reserved": gettext_lazy("Reserved"),
        "cooling": gettext_lazy("Cooling"),
    }

    class Meta:
        model = PhoneNumber
        fields = []

    def listing(self) -> Listing | None:
        if self.refused:
            return None
        clean = self.understood
        words = {name: clean.get(name) or () for name in ("used_by", "company", "var", "reserved_for", "provider")}
        active = clean.get("status")
        return Listing(
            actor=self.actor,
            digits=clean["number"],
            words=tuple((name, found) for name, found in words.items() if found),
            uses=clean["use"],
            active=active[0] if active and len(active) == 1 else None,
            state=self.state,
            sort=self.sort,
            descending=self.descending,
            ids=self.selected,
        )


class DestinationFilter(ListFilter):
    """The search row and Set Filter of what a customer's numbers ring."""

    name = Words(label=gettext_lazy("Name"))
    use = ChoiceWords(label=gettext_lazy("Use"), choices=use_names)
    extension = Words(label=gettext_lazy("Extension"))

    default_sort = "name"
    states = {
        "all": gettext_lazy("All"),
        "users": gettext_lazy("Users"),
        "groups": gettext_lazy("Groups"),
        "services": gettext_lazy("Services"),
    }
    kind_of = {"users": "user", "groups": "group", "services": "service"}
    orders = {
        "name": ("name_folded",), "use": ("kind", "service_type", "name_folded"), "extension": ("extension_number",),
        "numbers": ("numbers",),
    }  # fmt: skip

    class Meta:
        model = Destination
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood = self.understood
        rows = having(Destination.visible_to(self.actor).listed(self.actor), {"name_folded": understood["name"]})
        for piece in understood["extension"]:
            rows = rows.filter(extension__contains=piece)
        if understood["use"]:
            uses = [Q(kind=kind, service_type=service_type) for kind, service_type in understood["use"]]
            rows = rows.filter(reduce(or_, uses))

        def texts(row: dict) -> dict[str, str]:
            use = use_text(row["kind"], row["service_type"])
            name, _open, detail = use.partition(" (")
            return {
                "name": row["name"],
                "use": use,
                "use_name": name,
                "use_detail": detail.rstrip(")"),
                "extension": row["extension"],
                "numbers": str(row["numbers"]),
            }

        return TableListing(
            rows,
            fields=("name", "kind", "service_type", "extension", "numbers"),
            texts=texts,
            order=self.orders[self.sort],
            descending=self.descending,
            states=tuple((state, Q(kind=kind)) for state, kind in self.kind_of.items()),
            state=self.state,
            ids=self.selected,
        )


class JobFilter(ListFilter):
    """The search row and Set Filter of what was done to many numbers at once."""

    what = ChoiceWords(label=gettext_lazy("What"), choices=verb_names)
    who = Words(label=gettext_lazy("Who"))

    default_sort = "as_of"
    descends_at_first = True
    states = {
        "all": gettext_lazy("All"),
        "running": gettext_lazy("Running"),
        "ended": gettext_lazy("Ended"),
    }
    orders = {
        "as_of": ("as_of",), "what": ("verb",), "who": ("who",), "total": ("total",), "done": ("done",),
        "refused": ("refused",), "state": ("state",),
    }  # fmt: skip

    class Meta:
        model = Job
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        begun = Job.visible_to(self.actor).exclude(state=Job.State.DRAFT)
        rows = having(begun.annotate(who=Fold("person__name")), {"who": self.understood["who"]})
        if self.understood["what"]:
            rows = rows.filter(verb__in=self.understood["what"])
        names, states, zone = dict(verb_names()), dict(Job.State.choices), self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "as_of": moment(row["as_of"], zone),
                "what": names.get(row["verb"], row["verb"]),
                "who": row["person__name"],
                "state": str(states[row["state"]]),
                **{name: str(row[name]) for name in ("total", "done", "refused")},
            }

        return TableListing(
            rows,
            fields=("as_of", "verb", "person__name", "total", "done", "refused", "state"),
            texts=texts,
            order=self.orders[self.sort],
            descending=self.descending,
            states=(("running", Q(state=Job.State.RUNNING)), ("ended", ~Q(state=Job.State.RUNNING))),
            state=self.state,
            ids=self.selected,
        )


class JobItemFilter(ListFilter):
    """The search row and Set Filter of the numbers of a job, with what became of each."""

    number = Digits(label=gettext_lazy("Number"))
    reason = Words(label=gettext_lazy("Reason"))

    default_sort = "number"
    states = {
        "all": gettext_lazy("All"),
        "done": gettext_lazy("Done"),
        "refused": gettext_lazy("Refused"),
        "waiting": gettext_lazy("Waiting"),
    }
    orders = {"number": ("digits",), "outcome": ("state",), "reason": ("sentence",)}

    class Meta:
        model = JobItem
        fields = []

    def __init__(self, actor, columns, query, job: Job):
        self.job = job
        super().__init__(actor, columns, query)

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = JobItem.visible_to(self.actor).filter(job=self.job).annotate(reason=Fold("sentence"))
        rows = having(rows, {"reason": self.understood["reason"]})
        if spellings := self.understood["number"]:
            rows = rows.filter(reduce(or_, (Q(e164__contains=spelling) for spelling in spellings)))
        states = dict(JobItem.State.choices)

        def texts(row: dict) -> dict[str, str]:
            return {
                "number": row["e164"],
                "outcome": str(states[row["state"]]),
                "reason": row["sentence"],
            }

        return TableListing(
            rows,
            fields=("e164", "digits", "state", "sentence"),
            texts=texts,
            order=self.orders[self.sort],
            descending=self.descending,
            states=tuple((state.value, Q(state=state)) for state in JobItem.State),
            state=self.state,
            ids=self.selected,
        )
