"""Which app answers which address. Every page of an account lives under the account's code."""

from django.urls import include, path, register_converter

from numbers.views.calls import record, record_signed
from numbers.views.carriers import told
from portal import health
from portal.machines import over_tls
from webphone.views import machines


class AccountCode:
    """The short public code of an account: SYS, V1001, C20017, P30004."""

    regex = "SYS|V[0-9]{4,11}|[CP][0-9]{5,11}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


register_converter(AccountCode, "account")

handler500 = "portal.errors.server_error"
urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("calls/", over_tls(record), name="calls"),
    path("calls/<str:key>/", over_tls(record_signed), name="calls_signed"),
    path("carriers/<int:provider_id>/", over_tls(told), name="carrier"),
    path("telephony/events/", machines.event, name="telephony_event"),
    path("telephony/route/", machines.route, name="telephony_route"),
    # Before the others: numbers are looked at most, and addresses are tried in order.
    path("<account:code>/", include("numbers.urls")),
    path("", include("accounts.urls")),
    path("<account:code>/webphone/", include("webphone.urls")),
]
