"""The WebPhone's window."""

from django.urls import path

from webphone import views

app_name = "webphone"
urlpatterns = [path("", views.phone, name="phone")]
