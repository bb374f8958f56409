"""The search rows of what is done to many numbers: jobs and imports."""

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from numbers.actions import imports
from numbers.actions.verbs import OF_CUSTOMERS, OF_VARS, UNDOES
from numbers.models import Import, ImportRow, Job, JobItem, Work
from portal.filters import ChoiceWords, Digits, ListFilter, Words
from portal.listings import Fold, TableListing, containing, having
from portal.times import moment

STATES = {
    "all": gettext_lazy("All"),
    "running": gettext_lazy("Running"),
    "draft": gettext_lazy("Not confirmed"),
    "ended": gettext_lazy("Ended"),
}
RUNNING, DRAFT = Q(state__in=[Work.State.RUNNING, Work.State.CHECKING]), Q(state=Work.State.DRAFT)
#: The states of ``STATES``.
IN_STATE = (("running", RUNNING), ("draft", DRAFT), ("ended", ~(RUNNING | DRAFT)))

#: Of work that has ended: whether nothing was changed, for ``Work.in_words``.
UNCHANGED = {"without_change": ExpressionWrapper(Work.WITHOUT_CHANGE, BooleanField())}


def verb_names() -> list[tuple[str, str]]:
    return [(verb.slug, str(verb.label)) for verb in (*OF_VARS, *OF_CUSTOMERS, *UNDOES.values())]


class JobFilter(ListFilter):
    """The search row and Set Filter of what was done to many numbers at once."""

    what = ChoiceWords(label=gettext_lazy("What"), choices=verb_names)
    who = Words(label=gettext_lazy("Who"))

    default_sort = "as_of"
    descends_at_first = True
    states = STATES
    orders = {
        "as_of": ("as_of",), "what": ("verb",), "who": ("who",), "total": ("total",), "done": ("done",),
        "refused": ("refused",), "state": ("state", "without_change"),
    }  # fmt: skip

    class Meta:
        model = Job
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        begun = Job.visible_to(self.actor).exclude(state=Job.State.DRAFT).annotate(**UNCHANGED)
        rows = having(begun.annotate(who=Fold("person__name")), {"who": self.understood["who"]})
        if self.understood["what"]:
            rows = rows.filter(verb__in=self.understood["what"])
        names, zone = dict(verb_names()), self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "as_of": moment(row["as_of"], zone),
                "what": names.get(row["verb"], row["verb"]),
                "who": row["person__name"],
                "state": Work.in_words(row["state"], is_without_change=row["without_change"]),
                **{name: str(row[name]) for name in ("total", "done", "refused")},
            }

        return self.listed(
            rows,
            fields=("as_of", "verb", "person__name", "total", "done", "refused", "state", "without_change"),
            texts=texts,
            states=IN_STATE,
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
    blanks = {"reason": Q(sentence="")}

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
        rows = containing(rows, "e164", self.understood["number"])
        states = dict(JobItem.State.choices)

        def texts(row: dict) -> dict[str, str]:
            return {
                "number": row["e164"],
                "outcome": str(states[row["state"]]),
                "reason": row["sentence"],
            }

        return self.listed(
            rows,
            fields=("e164", "digits", "state", "sentence"),
            texts=texts,
            states=tuple((state.value, Q(state=state)) for state in JobItem.State),
        )


class ImportFilter(ListFilter):
    """The search row and Set Filter of the files that were imported."""

    file = Words(label=gettext_lazy("File"))
    who = Words(label=gettext_lazy("Who"))

    default_sort = "as_of"
    descends_at_first = True
    states = STATES
    orders = {
        "as_of": ("as_of",), "file": ("file",), "who": ("who",), "total": ("total",), "done": ("done",),
        "refused": ("refused",), "state": ("state", "without_change"),
    }  # fmt: skip

    class Meta:
        model = Import
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        named = Import.visible_to(self.actor).annotate(who=Fold("person__name"), file=Fold("file_name"), **UNCHANGED)
        rows = having(named, {name: self.understood[name] for name in ("who", "file")})
        zone = self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "as_of": moment(row["as_of"], zone),
                "file": row["file_name"],
                "who": row["person__name"],
                "state": row["undone"] or Work.in_words(row["state"], is_without_change=row["without_change"]),
                **{name: str(row[name]) for name in ("total", "done", "refused")},
            }

        return self.listed(
            rows,
            complete=self.note_undone,
            fields=("as_of", "file_name", "person__name", "total", "done", "refused", "state", "without_change"),
            texts=texts,
            states=IN_STATE,
        )

    def note_undone(self, rows: list[dict]) -> None:
        """Add to these rows how far each import was undone, in words."""
        code = self.actor.account.code
        pages = {row["pk"]: reverse("numbers:import_page", args=[code, row["pk"]]) for row in rows}
        undone = imports.undone(self.actor, pages.values())
        added = Import.added_by(self.actor, [pk for pk, page in pages.items() if page in undone])
        for row in rows:
            found = undone.get(pages[row["pk"]])
            row["undone"] = found.in_words(added[row["pk"]]) if found else ""


class ImportRowFilter(ListFilter):
    """The search row and Set Filter of the lines of a file, by what each means."""

    number = Digits(label=gettext_lazy("Number"))
    reason = Words(label=gettext_lazy("Reason"))

    default_sort = "line"
    states = {
        "all": gettext_lazy("All"),
        "add": gettext_lazy("Add"),
        "change": gettext_lazy("Change"),
        "same": gettext_lazy("No change"),
        "refused": gettext_lazy("Refused"),
    }
    verdicts = dict(ImportRow.Verdict.choices)
    unsorted = frozenset({"original"})
    orders = {
        "line": ("line",), "number": ("e164",), "verdict": ("verdict",), "column": ("column",),
        "reason": ("reason",),
    }  # fmt: skip

    class Meta:
        model = ImportRow
        fields = []

    def __init__(self, actor, columns, query, wanted: Import):
        self.wanted = wanted
        super().__init__(actor, columns, query)

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        has_more = ExpressionWrapper(Q(plan__1__isnull=False), BooleanField())
        rows = ImportRow.visible_to(self.actor).filter(of=self.wanted)
        if self.sort == "line" and ImportRow.has_parts(self.actor, self.wanted):
            # Only then: the rows of a large file are in the order of their index otherwise.
            rows = rows.annotate(place=ImportRow.PLACE)
            self.orders = self.orders | {"line": ("place", "line")}
        rows = rows.annotate(reason_folded=Fold("reason"), has_more=has_more)
        rows = having(rows, {"reason_folded": self.understood["reason"]})
        rows = containing(rows, "e164", self.understood["number"])
        place, text = self.wanted.columns.index("number"), self.wanted.text
        confirmed = self.wanted.is_confirmed

        def texts(row: dict) -> dict[str, str]:
            cells = [text(cell) for cell in row["cells"]]
            return {
                # In a file each row has a number of its own; the page names the line of a range.
                "line": str(row["line"]) if cells else "",
                "number": row["e164"] or (cells[place] if place < len(cells) else ""),
                "verdict": (
                    self.wanted.outcome(row["verdict"], row["line"], has_more=row["has_more"])
                    if confirmed
                    else str(self.verdicts[row["verdict"]])
                ),
                "column": row["column"].replace("_", " "),
                "reason": row["reason"],
                "original": " | ".join(cells),
            }

        return self.listed(
            rows,
            fields=("line", "source", "e164", "cells", "verdict", "column", "reason", "has_more"),
            texts=texts,
            states=tuple((name, Q(verdict=name)) for name in self.states if name != "all"),
        )


#: What a carrier's statement says that is not so here.
DIFFERENCES = {
    "add": gettext_lazy("Not here"),
    "change": gettext_lazy("Other provider here"),
    "route": gettext_lazy("Calls go elsewhere"),
    "gone": gettext_lazy("Not in the statement"),
    "same": gettext_lazy("The same"),
    "refused": gettext_lazy("Refused"),
}


class StatementRowFilter(ImportRowFilter):
    """The search row and Set Filter of a carrier's statement, by what differs."""

    verdicts = ImportRowFilter.verdicts | DIFFERENCES
    states = {"all": gettext_lazy("All")} | DIFFERENCES
