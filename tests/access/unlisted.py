"""The portal's addresses and two that nobody gave a line in the policy; one has not even a name."""

from django.http import HttpResponse
from django.urls import include, path


def new_page(request, code):
    return HttpResponse("open")


urlpatterns = [
    path("<account:code>/new/", new_page, name="new_page"),
    path("<account:code>/nameless/", new_page),
    path("", include("portal.urls")),
]
