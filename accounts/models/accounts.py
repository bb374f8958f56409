"""Accounts, the people in them, and the base of every row that an account owns."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Least, Length, Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from accounts.actor import Actor
from portal import phones
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
    number_quota = models.PositiveIntegerField(
        _("number quota"), null=True, blank=True, help_text=_("The most numbers it may hold; empty: no limit.")
    )
    cooling_days = models.PositiveSmallIntegerField(
        _("cooling days"),
        default=30,
        db_default=30,
        help_text=_("How long a number that came back waits before it may go to somebody else; 0: not at all."),
    )
    asks_consent = models.BooleanField(
        _("ask us first"),
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
        ways = (below.filter(code=code), below.filter(name_folded=named), having(below, {"name_folded": text.split()}))
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
    def called(cls, code: str) -> Account | None:
        """The account with this code and those above it, whoever asks: for deciding who may."""
        return cls.unscoped.select_related("parent__parent").filter(code=code).first()

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


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class PersonQuerySet(models.QuerySet):
    def administrators(self):
        """Those who can look after their account: active, and no longer only invited."""
        return self.joined().filter(role=Person.Role.ADMINISTRATOR)

    def joined(self):
        """Those who can sign in."""
        return self.filter(is_active=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def never_joined(self):
        """Administrators who were invited and have not chosen a password, whether they still may or not."""
        return self.filter(role=Person.Role.ADMINISTRATOR, password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def agents(self):
        """Support agents who can be let into accounts."""
        return self.filter(role=Person.Role.SUPPORT, is_active=True)

    def listed(self):
        """With their state, when they signed in last (``LONG_AGO``: never), and the folded texts that lists search."""
        state = Case(
            When(is_active=False, then=Value("deactivated")),
            When(password__startswith=UNUSABLE_PASSWORD_PREFIX, then=Value("invited")),
            default=Value("active"),
        )
        return self.annotate(
            state=state,
            signed_in=Coalesce("last_login", Value(LONG_AGO)),
            name_folded=Fold("name"),
            email_folded=Fold("email"),
        )


class PersonManager(BaseUserManager.from_queryset(PersonQuerySet)):
    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)

    def create_user(self, email, password=None, **fields):
        person = self.model(email=self.normalize_email(email), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Somebody who signs in: at home in one account, with one role there."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        SUPPORT = "support", _("Support agent")
        USER = "user", _("User")

    class NumberFormat(models.TextChoices):
        INTERNATIONAL = "international", _("International: +1 514-555-0123")
        NATIONAL = "national", _("National: (514) 555-0123")

    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    role = models.CharField(_("role"), max_length=15, choices=Role, default=Role.USER)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC")
    number_format = models.CharField(
        _("number format"), max_length=13, choices=NumberFormat, default=NumberFormat.INTERNATIONAL
    )

    invited_at = models.DateTimeField(_("invited"), null=True, editable=False)

    # What libraries ask of a user; nobody has every permission here.
    is_staff = is_superuser = False

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = PersonManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_person_email")]
        indexes = [models.Index("account", "name", name="accounts_person_by_account")]

    def __str__(self):
        return self.name

    @classmethod
    def visible_to(cls, actor: Actor):
        """The people of the acting account. Those of accounts below are looked after inside these."""
        return cls.objects.filter(account=actor.account)

    @classmethod
    def right_below(cls, actor: Actor) -> PersonQuerySet:
        """The people of the accounts right below the acting one: just to see that somebody looks after each."""
        return cls.objects.filter(account__parent=actor.account)

    @property
    def state(self) -> str:
        """What ``PersonQuerySet.listed`` says of the row."""
        if not self.is_active:
            return "deactivated"
        return "active" if self.has_joined else "invited"

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def written(self) -> Callable[[str], str]:
        """What writes a number in the way this person reads them."""
        return phones.national if self.number_format == self.NumberFormat.NATIONAL else phones.international

    @property
    def has_joined(self) -> bool:
        """Whether an invited person has chosen a password yet."""
        return self.has_usable_password()

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether signing in takes more than the password. Known already of whoever makes the request."""
        return self.authenticator_set.exclude(type="recovery_codes").exists()

    @property
    def lacks_second_factor(self) -> bool:
        """Whether this person must set up a second factor before anything else opens to them."""
        staff = self.account.kind in (Account.Kind.SYSTEM, Account.Kind.VAR)
        return settings.STAFF_SECOND_FACTOR and staff and not self.has_second_factor


NO_END = datetime(9999, 1, 1, tzinfo=UTC)


class GrantQuerySet(models.QuerySet):
    def live(self):
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))

    def listed(self):
        """With what lists search and sort by; ``ends`` is ``NO_END`` where no end was set."""
        by = Coalesce("granted_by__name", Value(""))
        return self.annotate(
            ends=Coalesce("until", Value(NO_END)),
            agent_folded=Fold("user__name"),
            account_folded=Fold(Concat("content_object__name", Value(" "), "content_object__code")),
            by=by,
            by_folded=Fold(by),
        )

    def names_by_account(self) -> dict[int, set[str]]:
        """What was granted, by the id of the account that it is for."""
        found: dict[int, set[str]] = {}
        for account, name in self.values_list("content_object", "permission__codename"):
            found.setdefault(account, set()).add(name)
        return found


class Grant(UserObjectPermissionBase):
    """A support agent may view or manage an account and what is below it: django-guardian's row, with an end.

    guardian finds this class by the reverse name of ``content_object``.
    """

    content_object = models.ForeignKey(Account, models.CASCADE)
    until = models.DateTimeField(_("until"), null=True)
    granted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("grant")

    def __str__(self):
        return f"{self.user}: {self.content_object}"[:130]

    @property
    def manages(self) -> bool:
        """Whether it lets the agent change something."""
        return self.permission.codename == "manage_account"

    @classmethod
    def visible_to(cls, actor: Actor) -> GrantQuerySet:
        """What was granted to the agents of the acting account."""
        return GrantQuerySet(cls).filter(user__account=actor.account)

    @classmethod
    def live_of(cls, person: Person) -> GrantQuerySet:
        """The grants that this person has now."""
        return GrantQuerySet(cls).filter(user=person).live()


class AccountRowQuerySet(models.QuerySet):
    """Rows that tell of one account."""

    def visible_to(self, actor: Actor):
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(account=actor.account)


class AccessQuerySet(AccountRowQuerySet):
    def history(self, now: datetime):
        """What has begun, with when it ended or will end, the folded texts that lists search, and how much was changed.

        ``until`` is the time of the end, or of the nearest limit while there is none.
        """
        idle = F("seen_at") + timedelta(minutes=settings.ACCESS_IDLE_MINUTES)
        changes = AuditEvent.unscoped.filter(access=OuterRef("pk")).exclude(verb__startswith="access.")
        return self.filter(started_at__isnull=False).annotate(
            until=Coalesce("ended_at", Least("expires_at", idle)),
            who=Fold("person__name"),
            home=Fold("person__account__name"),
            reason_folded=Fold("reason"),
            changes=Coalesce(Subquery(changes.order_by().values("access").annotate(n=Count("*")).values("n")), 0),
        )


class Access(models.Model):
    """Somebody working in an account that is not their own, under their own name: from entering to leaving.

    It holds for one sign-in and is believed only together with what the person may do at present, see
    ``accounts.middleware``. Where the account asks for its consent, the row begins as a question.
    """

    class End(models.TextChoices):
        LEFT = "left", _("Left")
        EXPIRED = "expired", _("Time was up")
        IDLE = "idle", _("Nothing done for a while")
        SIGNED_OUT = "signed_out", _("Signed out")
        CREDENTIALS = "credentials", _("Password or second factor changed")
        NOT_ALLOWED = "not_allowed", _("No longer allowed")
        REFUSED = "refused", _("Refused by the account")
        AGAIN = "again", _("Entered again")

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("person"), related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    sign_in = models.CharField(max_length=32, editable=False)
    # Ids of the accounts from the person's own down to this one, as they were.
    chain = ArrayField(models.BigIntegerField())
    manages = models.BooleanField(_("may change"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    entered_from = models.CharField(max_length=2000, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True)
    consented_at = models.DateTimeField(_("agreed"), null=True)
    consented_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(_("entered"), null=True)
    seen_at = models.DateTimeField(_("last seen"), null=True)
    expires_at = models.DateTimeField(_("ends"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_why = models.CharField(_("why it ended"), max_length=12, choices=End, blank=True)

    unscoped = AccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("access")
        constraints = [
            # Entering twice at once leaves one.
            models.UniqueConstraint(
                "person",
                "account",
                "sign_in",
                condition=Q(started_at__isnull=False, ended_at=None),
                name="accounts_access_one_live",
            ),
            models.CheckConstraint(
                name="accounts_access_started_expires",
                condition=Q(started_at=None, expires_at=None) | Q(started_at__isnull=False, expires_at__isnull=False),
            ),
            # What the two-column foreign key of events points at.
            models.UniqueConstraint("id", "account", name="accounts_access_id_account"),
        ]
        indexes = [
            models.Index("account", F("id").desc(), name="accounts_access_of_account"),
            models.Index("person", "sign_in", name="accounts_access_open", condition=Q(ended_at=None)),
        ]

    def __str__(self):
        return f"{self.person} in {self.account}"

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def of(cls, person: Person):
        """Everything that this person entered or asked to enter."""
        return cls.unscoped.filter(person=person)

    @property
    def idle_at(self) -> datetime:
        """When it ends unless something is done before."""
        return self.seen_at + timedelta(minutes=settings.ACCESS_IDLE_MINUTES)

    def over(self, now: datetime) -> str:
        """Why time has ended it, or nothing."""
        if now >= self.expires_at:
            return self.End.EXPIRED
        return self.End.IDLE if now >= self.idle_at else ""


class AuditEventQuerySet(AccountRowQuerySet):
    def told_to(self, actor: Actor):
        """What was done in the acting account, and what others did that concerns it."""
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(Q(account=actor.account) | Q(concerns=actor.account))

    def history(self):
        """With the folded texts that lists search and sort by."""
        home = Coalesce("person__account__name", Value(""))
        who = Fold(Coalesce("person__name", Value("")))
        return self.annotate(who=who, of=Fold("target"), home=home, home_folded=Fold(home))


class AuditEvent(models.Model):
    """One change, written in its transaction: who, for which account, through which accounts, what, before and after.

    Nobody can alter it: the database refuses (migration ``accounts.0002``).
    """

    at = models.DateTimeField(_("time"), default=timezone.now)
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    # The other account that it happened to, which may read it as well: the customer who was given a number, say, or
    # the VAR whose number a customer gave back.
    concerns = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("concerns"), null=True, related_name="+", db_index=False
    )
    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("person"), null=True, related_name="+")
    # Ids of the accounts from the person's own to the one that was acted in.
    chain = ArrayField(models.BigIntegerField())
    access = models.ForeignKey(Access, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(_("what"), max_length=40)
    target_type = models.CharField(max_length=20)
    target_id = models.BigIntegerField(null=True)
    # How the target was called then.
    target = models.CharField(_("of"), max_length=130)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=32, blank=True)

    unscoped = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        indexes = [
            models.Index("account", F("at").desc(), F("id").desc(), name="accounts_auditevent_account"),
            models.Index(
                "concerns",
                F("at").desc(),
                F("id").desc(),
                name="accounts_auditevent_concerns",
                condition=Q(concerns__isnull=False),
            ),
            models.Index("target_type", "target_id", F("id").desc(), name="accounts_auditevent_target"),
            models.Index("access", name="accounts_auditevent_access", condition=Q(access__isnull=False)),
        ]

    def __str__(self):
        return f"{self.verb} {self.target}"

    @classmethod
    def told_to(cls, actor: Actor):
        return cls.unscoped.told_to(actor)

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
