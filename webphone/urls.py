"""The WebPhone's addresses, below an account's code."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from webphone.telephony import REF
from webphone.views import phone, telephones
from webphone.views.calls import CallList


class CallRef(StringConverter):
    """What a call is called."""

    regex = REF


register_converter(CallRef, "call")

app_name = "webphone"
urlpatterns = [
    path("", phone.phone, name="phone"),
    path("dial/", phone.dial, name="dial"),
    path("credentials/", phone.register, name="credentials"),
    *CallList.paths("calls/"),
    path("calls/<call:ref>/", phone.call, name="call"),
    path("calls/<call:ref>/hang-up/", phone.hang_up, name="hang_up"),
    path("telephones/", telephones.telephones, name="telephones"),
    path("telephones/add/", telephones.add, name="telephone_add"),
    path("telephones/<int:location_id>/verify/", telephones.verify, name="telephone_verify"),
    path("telephones/<int:location_id>/remove/", telephones.remove, name="telephone_remove"),
]
