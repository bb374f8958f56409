"""What a portal would use instead: Django's admin changelist and a plain django-tables2 + django-filter list.

They work on tables of their own with nothing but Django's own indexes, copied from the portal's. Needs
``MIGRATION_DATABASE_URL`` of that database; serve ``tests.bench.peers:application``.
"""

import os
import sys

import django
import environ
from django.apps import AppConfig
from django.conf import settings

sys.modules.setdefault("peers", sys.modules[__name__])
PARTS = "django.contrib."
settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY", "the peers of a benchmark, on loopback alone, for one run"),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="peers",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        *(PARTS + name for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")),
        "django_tables2",
        "django_filters",
        "peers.PeersConfig",
    ],
    MIDDLEWARE=[
        PARTS + "sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        PARTS + "auth.middleware.AuthenticationMiddleware",
        PARTS + "messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    PARTS + "auth.context_processors.auth",
                    PARTS + "messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
    DATABASES={"default": environ.Env().db("MIGRATION_DATABASE_URL") | {"CONN_MAX_AGE": 600}},
)


class PeersConfig(AppConfig):
    name = "peers"
    path = os.path.dirname(__file__)  # noqa: PTH120


django.setup()

import django_filters  # noqa: E402
import django_tables2  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402
from django_filters.views import FilterView  # noqa: E402

RELATED = ["assignee", "customer", "var", "provider"]


class Named(models.Model):
    name = models.CharField(max_length=120)

    class Meta:
        abstract = True
        app_label = "peers"
        ordering = ["name"]

    def __str__(self):
        return self.name


class Provider(Named):
    __module__ = "peers"


class Var(Named):
    __module__ = "peers"


class Customer(Named):
    __module__ = "peers"
    var = models.ForeignKey(Var, models.CASCADE)


class Assignee(Named):
    __module__ = "peers"
    customer = models.ForeignKey(Customer, models.CASCADE)
    kind = models.CharField(max_length=8, choices=[("user", "User"), ("service", "Service"), ("group", "Group")])


class Number(models.Model):
    __module__ = "peers"
    e164 = models.CharField(max_length=16, unique=True)
    provider = models.ForeignKey(Provider, models.PROTECT)
    var = models.ForeignKey(Var, models.PROTECT)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True)
    assignee = models.ForeignKey(Assignee, models.SET_NULL, null=True)
    status = models.SmallIntegerField(choices=[(1, "Active"), (2, "Pending")])

    class Meta:
        app_label = "peers"
        ordering = ["e164"]

    def __str__(self):
        return self.e164


class Used(admin.SimpleListFilter):
    title = parameter_name = "used"

    def lookups(self, request, model_admin):
        return [("1", "Used"), ("0", "Available")]

    def queryset(self, request, queryset):
        return queryset if self.value() is None else queryset.filter(customer__isnull=self.value() == "0")


@admin.register(Number)
class NumberAdmin(admin.ModelAdmin):
    list_display = ["e164", "assignee", "customer", "var", "kind", "provider", "status"]
    list_filter = [Used, "status", "provider", "var"]
    list_select_related = RELATED
    list_per_page = 50
    search_fields = ["e164", "customer__name", "assignee__name", "var__name"]

    @admin.display(ordering="assignee__kind")
    def kind(self, number):
        return number.assignee.get_kind_display() if number.assignee else ""


class NumberTable(django_tables2.Table):
    select = django_tables2.CheckBoxColumn(accessor="pk")
    e164 = django_tables2.Column("Number", linkify=lambda record: f"/n/{record.pk}/")
    used_by = django_tables2.Column("Used by", accessor="assignee__name")
    company = django_tables2.Column(accessor="customer__name", linkify=lambda record: f"/c/{record.customer_id}/")
    var = django_tables2.Column("VAR", accessor="var__name", linkify=lambda record: f"/v/{record.var_id}/")
    user = django_tables2.Column(accessor="assignee__get_kind_display", order_by=("assignee__kind",))
    provider = django_tables2.Column(accessor="provider__name")
    status = django_tables2.Column()


class NumberFilter(django_filters.FilterSet):
    e164 = django_filters.CharFilter(lookup_expr="icontains")
    used_by = django_filters.CharFilter("assignee__name", lookup_expr="icontains")
    company = django_filters.CharFilter("customer__name", lookup_expr="icontains")
    var = django_filters.CharFilter("var__name", lookup_expr="icontains")
    used = django_filters.BooleanFilter("customer", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Number
        fields = ["status"]


PAGE = (
    "{% load django_tables2 %}<!doctype html><title>Numbers</title>"
    "<form>{{ filter.form.as_p }}<button>Search</button></form>{% render_table table %}"
)


class PlainList(django_tables2.SingleTableMixin, FilterView):
    table_class = NumberTable
    filterset_class = NumberFilter
    table_pagination = {"per_page": 50}

    def get_queryset(self):
        return Number.objects.select_related(*RELATED).order_by("e164")

    def render_to_response(self, context, **_kwargs):
        return HttpResponse(engines["django"].from_string(PAGE).render(context, self.request))


urlpatterns = [path("admin/", admin.site.urls), path("plain/", PlainList.as_view())]
application = StaticFilesHandler(get_wsgi_application())
