"""The tree of accounts."""

from __future__ import annotations

from collections.abc import Collection

from django.apps import apps
from django.db import connection, models
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce, Length
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from portal.database.planned import columns, instances, planned_once
from portal.listings import Fold, having


class FoldedField(models.GeneratedField):
    """A text column folded for search and sort: no case, no accents, ordered by code point.

    The database computes it with its function ``fold`` (migration ``accounts.0001``), so that it can never differ from
    the column it comes from, whoever writes that, and so that order does not hang on what locales a server has.
    """

    def __init__(self, source: str = "name", **kwargs):
        for fixed in ("expression", "output_field", "db_persist"):
            kwargs.pop(fixed, None)
        self.source = source
        super().__init__(
            expression=Fold(F(source)),
            output_field=models.TextField(db_collation="C"),
            db_persist=True,
            **kwargs,
        )

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("expression", "output_field", "db_persist"):
            del kwargs[fixed]
        if self.source != "name":
            kwargs["source"] = self.source
        return name, path, args, kwargs


class AccountQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor):
        """The acting account and what is below it; for a support agent at home, below it only what was granted."""
        if actor.is_support:
            # By name: grants are of people, who are in accounts.
            Grant = apps.get_model("accounts", "Grant")
            granted = list(Grant.live_of(actor.person).values_list("content_object", flat=True))
            return self.filter(Q(pk=actor.account.pk) | Q(pk__in=granted) | Q(parent__in=granted))
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(Q(pk=actor.account.pk) | Q(parent=actor.account))

    def listed(self):
        """With the texts that lists search, and without NULL what they sort by; *no limit* is beyond every quota."""
        no_limit = models.BigIntegerField().MAX_BIGINT
        return self.annotate(
            code_folded=Fold("code"),
            code_length=Length("code"),
            contact_folded=Fold("contact"),
            quota=Coalesce("number_quota", Value(no_limit), output_field=models.BigIntegerField()),
        )

    def count_by_parent(self, parents: Collection[int]) -> dict[tuple[int, str], int]:
        """How many there are below each of these accounts, of each kind, closed ones left out."""
        below = self.filter(parent__in=parents).exclude(status=Account.Status.CLOSED).order_by()
        counted = below.values_list("parent", "kind").annotate(n=Count("pk"))
        return {(parent, kind): count for parent, kind, count in counted}


class Account(models.Model):
    """One node of the tree: the system, below it VARs, below each its companies and professionals."""

    class Kind(models.TextChoices):
        SYSTEM = "system", _("System")
        VAR = "var", _("VAR")
        COMPANY = "company", _("Company")
        PROFESSIONAL = "professional", _("Professional")

    class Status(models.TextChoices):
        TRIAL = "trial", _("Free trial")
        PRODUCTION = "production", _("Production")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    code = models.CharField(_("code"), max_length=12, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PRODUCTION)
    name = models.CharField(_("name"), max_length=120)
    name_folded = FoldedField()
    parent = models.ForeignKey("self", models.PROTECT, verbose_name=_("parent account"), null=True, related_name="+")
    contact = models.CharField(_("contact"), max_length=120, blank=True, default="", db_default="")
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, default="", db_default="")
    # E.164, or empty.
    phone = models.CharField(_("phone"), max_length=16, blank=True, default="", db_default="")
    # ISO 3166, two letters, or empty.
    home_country = models.CharField(
        _("home country"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text=_("The country of numbers that are written without a country code."),
    )
    number_quota = models.PositiveIntegerField(
        _("number quota"), null=True, blank=True, help_text=_("The most numbers it may hold. Leave empty for no limit.")
    )
    cooling_days = models.PositiveSmallIntegerField(
        _("cooling days"),
        default=30,
        db_default=30,
        help_text=_("How many days a returned number waits before it can be assigned to somebody else; 0 for none."),
    )
    orders_need_approval = models.BooleanField(
        _("orders wait for approval"),
        default=False,
        db_default=False,
        help_text=_("Orders of this account are delivered after you approve them."),
    )
    asks_consent = models.BooleanField(
        _("consent required"),
        default=False,
        db_default=False,
        help_text=_("Our operator's and reseller's staff may work in this account only after we have agreed."),
    )

    # Made with the form in which the account was typed: the same form, sent twice, adds one account.
    form_key = models.UUIDField(null=True, editable=False)

    unscoped = AccountQuerySet.as_manager()

    #: How a code of each kind begins; a sequence of the database counts each, see ``next_code``.
    LETTERS = {Kind.VAR: "V", Kind.COMPANY: "C", Kind.PROFESSIONAL: "P"}
    #: The kinds of account that may be below one of a kind.
    BELOW = {Kind.SYSTEM: (Kind.VAR,), Kind.VAR: (Kind.COMPANY, Kind.PROFESSIONAL)}

    class Meta:
        verbose_name = _("account")
        # Django gives view_account itself; django-guardian attaches both to single accounts.
        permissions = [("manage_account", "Can work in the account as its administrator")]
        constraints = [
            models.CheckConstraint(
                name="accounts_account_only_the_system_has_no_parent",
                condition=Q(kind="system", parent=None) | (~Q(kind="system") & Q(parent__isnull=False)),
            ),
            models.UniqueConstraint("kind", condition=Q(kind="system"), name="accounts_account_one_system"),
            models.CheckConstraint(
                name="accounts_account_code_form", condition=Q(code__regex=r"^(SYS|V[0-9]{4,}|C[0-9]{5,}|P[0-9]{5,})$")
            ),
            # What the two-column foreign keys of tenant rows point at.
            models.UniqueConstraint("id", "parent", name="accounts_account_id_parent"),
            models.UniqueConstraint(
                "parent",
                "form_key",
                condition=Q(form_key__isnull=False),
                name="accounts_account_one_of_a_form",
            ),
        ]
        indexes = [
            models.Index("kind", "name_folded", "id", name="accounts_account_by_kind_name"),
            models.Index(
                "name_folded",
                "id",
                name="accounts_account_customers",
                condition=Q(kind__in=["company", "professional"]),
            ),
            models.Index("parent", "name_folded", "id", name="accounts_account_by_parent"),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def below(cls, actor: Actor):
        """The accounts below the acting one."""
        return cls.visible_to(actor).exclude(pk=actor.account.pk)

    @classmethod
    def meant_by(cls, actor: Actor, text: str, most: int) -> list[Account]:
        """The accounts below the acting one that somebody means who types ``text``: the one with this code, also as
        in ``Acme Corp (C20001)``; otherwise those with this name; otherwise those with all its words in their names.
        """
        code = text.rpartition("(")[2].rstrip(") ").upper()
        named = Fold(Value(text))
        below = cls.below(actor).order_by("name_folded", "pk")
        # Folding leaves nothing of other words, and nothing is in every name.
        words = [word for word in text.split() if any(map(str.isalnum, word))]
        with_words = having(below, {"name_folded": words}) if words else below.none()
        ways = (below.filter(code=code), below.filter(name_folded=named), with_words)
        return next((found for way in ways if (found := list(way[:most]))), [])

    @classmethod
    def next_code(cls, kind: str) -> str:
        """A code that nobody was given before, however many ask at once; one that is not used in the end is lost."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(%s)", [f"accounts_account_{kind}_code"])
            return f"{cls.LETTERS[kind]}{cursor.fetchone()[0]}"

    @classmethod
    def count_codes_on(cls) -> None:
        """Let codes go on after the highest of each kind: accounts were written with codes of their own."""
        with connection.cursor() as cursor:
            for kind in cls.LETTERS:
                cursor.execute(
                    "SELECT setval(%s, max(substr(code, 2)::bigint)) FROM accounts_account WHERE kind = %s"
                    " HAVING count(*) > 0",
                    [f"accounts_account_{kind}_code", kind],
                )

    @classmethod
    def of_the_system(cls, name: str) -> tuple[Account, bool]:
        """The system account, locked until the transaction ends, and whether it was made just now, with this name."""
        facts = {"code": "SYS", "name": name}
        _account, is_new = cls.unscoped.get_or_create(kind=cls.Kind.SYSTEM, defaults=facts)
        return cls.unscoped.select_for_update(no_key=True).get(kind=cls.Kind.SYSTEM), is_new

    @classmethod
    def called(cls, code: str) -> Account | None:
        """The account with this code and those above it, whoever asks: for deciding who may."""
        with planned_once() as cursor:
            cursor.execute(
                f"SELECT {columns(a=cls, p=cls, s=cls)} FROM accounts_account a"  # noqa: S608
                " LEFT JOIN accounts_account p ON p.id = a.parent_id"
                " LEFT JOIN accounts_account s ON s.id = p.parent_id WHERE a.code = %s",
                [code],
            )
            row = cursor.fetchone()
        if row is None:
            return None
        account, parent, above = instances(row, cls, cls, cls)
        account.parent = parent
        if parent:
            parent.parent = above
        return account

    @classmethod
    def held_below(cls, parent: Account, pk: int) -> Account:
        """An account right below another, held until the transaction ends: for the worker, who is nobody."""
        rows = cls.unscoped.select_related("parent").select_for_update(no_key=True, of=("self",))
        return rows.get(pk=pk, parent=parent)

    @classmethod
    def held(cls, account: Account) -> Account:
        """An account itself, held until the transaction ends: for the worker, in its scope."""
        return cls.unscoped.select_for_update(no_key=True, of=("self",)).get(pk=account.pk)

    @classmethod
    def with_ids(cls, ids: list[int]) -> list[Account]:
        """Accounts in the order of their ids: to name a chain."""
        found = cls.unscoped.in_bulk(ids)
        return [found[pk] for pk in ids if pk in found]

    @property
    def written(self) -> str:
        """As people type it where one of many is meant: no other account is called so."""
        return f"{self.name} ({self.code})"

    @property
    def kind_label(self) -> str:
        """What it is, in words: as Django's ``get_kind_display``, which takes as long as a row of a list does."""
        return str(self.Kind(self.kind).label)

    @property
    def home(self) -> str:
        """The home country: its own, or the one of the account above it; empty where neither has one."""
        return self.home_country or (self.parent.home_country if self.parent_id else "")

    @property
    def is_customer(self) -> bool:
        """Whether this is a company or a professional: an account that holds numbers to use them."""
        return self.kind in (self.Kind.COMPANY, self.Kind.PROFESSIONAL)

    @property
    def is_open(self) -> bool:
        """Whether people may work in it."""
        return self.status in (self.Status.TRIAL, self.Status.PRODUCTION)

    def path_from(self, top: Account) -> tuple[Account, ...] | None:
        """The accounts from ``top`` straight down to this one, both included; None when this is not below it."""
        path = [self]
        while path[-1].pk != top.pk:
            if path[-1].parent_id is None:
                return None
            path.append(path[-1].parent)
        return tuple(reversed(path))
