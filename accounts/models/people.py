"""Those who sign in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models.accounts import Account
from portal import phones
from portal.listings import Fold

JOINED_ADDRESS, ADDRESS_OF_ACCOUNT = "accounts_person_joined_address", "accounts_person_address_of_account"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
#: How long an invitation can be accepted.
INVITATION_DAYS = 3
#: Takes the place of the password of people who joined with an identity provider. It is no hash: no password fits, and
#: Django takes as long to find that out as with one. Unlike Django's own mark for that, which people have who were only
#: invited, it makes the person's address theirs (``has_joined``).
JOINED_ELSEWHERE = "provider$"


class PasswordField(models.CharField):
    """The hash of a password. Inside a scope no page may read it, and a person comes without: it is None there."""

    def select_format(self, compiler, sql, params):
        return ("NULL", ()) if compiler.connection.scope else (sql, params)


class PersonQuerySet(models.QuerySet):
    def administrators(self):
        """Those who can look after their account: active, and no longer only invited."""
        return self.joined().filter(role=Person.Role.ADMINISTRATOR)

    def joined(self):
        """Those who can sign in."""
        return self.filter(is_active=True, has_joined=True)

    def owner_of(self, email: str) -> Person | None:
        """The one who signs in with an address, active or not. People who were only invited do not own theirs yet."""
        joined = self.filter(has_joined=True)
        return joined.alias(address=Lower("email")).filter(address=email.lower()).select_related("account").first()

    def invited(self, email: str) -> list[Person]:
        """Those who were invited with an address and may still join, one in an account; the latest 20."""
        valid = timezone.now() - timedelta(days=INVITATION_DAYS)
        waiting = self.filter(is_active=True, has_joined=False, invited_at__gt=valid).select_related("account")
        return list(waiting.alias(address=Lower("email")).filter(address=email.lower()).order_by("-invited_at")[:20])

    def never_joined(self):
        """Administrators who were invited and have not chosen a password, whether they still may or not."""
        return self.filter(role=Person.Role.ADMINISTRATOR, has_joined=False)

    def agents(self):
        """Support agents who can be let into accounts."""
        return self.filter(role=Person.Role.SUPPORT, is_active=True)

    def listed(self):
        """With their state, when they signed in last (``LONG_AGO``: never), and the folded texts that lists search."""
        state = Case(
            When(is_active=False, then=Value("deactivated")),
            When(has_joined=False, then=Value("invited")),
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
        if (person := self.owner_of(email)) is None:
            raise self.model.DoesNotExist
        return person

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

    # The channels chosen for each kind of notice; a kind that is missing has the usual ones (accounts.notices).
    channels = models.JSONField(default=dict, db_default={}, editable=False)
    invited_at = models.DateTimeField(_("invited"), null=True, editable=False)
    password = PasswordField(_("password"), max_length=128)
    # Whether an invited person has chosen a password yet.
    has_joined = models.GeneratedField(
        expression=~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # Browsers that became known as theirs before are not any more (accounts.devices).
    devices_since = models.DateTimeField(_("known devices since"), null=True, editable=False)

    #: Unread notices, up to ``MOST_COUNTED``; loaded with the person of a request.
    unread = 0
    #: Whether the identity provider that they signed in with has taken over the second factor (accounts.second_factor).
    factor_at_provider = False

    # What libraries ask of a user; nobody has every permission here.
    is_staff = is_superuser = False

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = PersonManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # An address belongs to the one who has chosen a password. Any account may invite it meanwhile: that an
            # address is somebody's elsewhere shows nowhere.
            models.UniqueConstraint(Lower("email"), name=JOINED_ADDRESS, condition=Q(has_joined=True)),
            models.UniqueConstraint(Lower("email"), "account", name=ADDRESS_OF_ACCOUNT),
            # What two-column foreign keys point at.
            models.UniqueConstraint("id", "account", name="accounts_person_id_account"),
        ]
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
    def for_log(self) -> dict:
        """How the log names them: no word that somebody typed."""
        return {"person": self.pk, "account": self.account.code}

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def written(self) -> Callable[[str], str]:
        """What writes a number in the way this person reads them."""
        return phones.national if self.number_format == self.NumberFormat.NATIONAL else phones.international

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether signing in takes more than the password. Known already of whoever makes the request."""
        return self.authenticator_set.exclude(type="recovery_codes").exists()

    @property
    def lacks_second_factor(self) -> bool:
        """Whether this person must set up a second factor before anything else opens to them."""
        staff = self.account.kind in (Account.Kind.SYSTEM, Account.Kind.VAR)
        has_one = self.has_second_factor or self.factor_at_provider
        return settings.STAFF_SECOND_FACTOR and staff and not has_one

    def has_usable_password(self) -> bool:
        """Whether the person has a password: people who joined with an identity provider have none."""
        return super().has_usable_password() and not (self.password or "").startswith(JOINED_ELSEWHERE)

    def join_without_password(self) -> None:
        """Make the person one who has joined; links for choosing a password that were mailed before end."""
        self.password = JOINED_ELSEWHERE + get_random_string(40)
