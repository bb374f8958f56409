"""Accounts, the people in them, and the base of every row that an account owns."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor


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
            expression=models.Func(F(source), function="fold"),
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
        """The acting account and its direct customers; the system sees every account."""
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(Q(pk=actor.account.pk) | Q(parent=actor.account))


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

    unscoped = AccountQuerySet.as_manager()

    class Meta:
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

    @property
    def is_customer(self) -> bool:
        """Whether this is a company or a professional: an account that holds numbers to use them."""
        return self.kind in (self.Kind.COMPANY, self.Kind.PROFESSIONAL)


class PersonManager(BaseUserManager):
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

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether signing in takes more than the password. Known already of whoever makes the request."""
        return self.authenticator_set.exclude(type="recovery_codes").exists()

    @property
    def lacks_second_factor(self) -> bool:
        """Whether this person must set up a second factor before anything else opens to them."""
        staff = self.account.kind in (Account.Kind.SYSTEM, Account.Kind.VAR)
        return settings.STAFF_SECOND_FACTOR and staff and not self.has_second_factor
