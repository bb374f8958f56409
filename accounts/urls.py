"""Signing in and out, and one's own profile."""

from django.urls import include, path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("", include("allauth.account.urls")),
]
