"""Signing in and out, one's own profile, and working in accounts."""

from django.urls import include, path

from accounts.views import access, accounts, grants, history, people, profile

access_urls = [
    path("", access.AccessHistory.as_view(), name="access"),
    path("export.csv", access.AccessHistory.as_view(export="csv"), name="access_csv"),
    path("export.pdf", access.AccessHistory.as_view(export="pdf"), name="access_pdf"),
    path("leave/", access.leave, name="access_leave"),
    path("decide/", access.decide, name="access_decide"),
    path("consent/", access.consent, name="access_consent"),
]

accounts_urls = [
    path("", accounts.AccountList.as_view(), name="accounts"),
    path("export.csv", accounts.AccountList.as_view(export="csv"), name="accounts_csv"),
    path("export.pdf", accounts.AccountList.as_view(export="pdf"), name="accounts_pdf"),
    path("add/", accounts.add, name="accounts_add"),
    path("<account:other>/", accounts.edit, name="accounts_edit"),
    path("<account:other>/suspend/", accounts.suspend, name="accounts_suspend"),
    path("<account:other>/reactivate/", accounts.reactivate, name="accounts_reactivate"),
    path("<account:other>/close/", accounts.close, name="accounts_close"),
]

history_urls = [
    path("", history.History.as_view(), name="history"),
    path("export.csv", history.History.as_view(export="csv"), name="history_csv"),
    path("export.pdf", history.History.as_view(export="pdf"), name="history_pdf"),
]

people_urls = [
    path("", people.People.as_view(), name="people"),
    path("export.csv", people.People.as_view(export="csv"), name="people_csv"),
    path("export.pdf", people.People.as_view(export="pdf"), name="people_pdf"),
    path("invite/", people.invite, name="person_invite"),
    path("<int:person_id>/", people.person, name="person"),
    path("<int:person_id>/resend/", people.resend, name="person_resend"),
    path("<int:person_id>/deactivate/", people.deactivate, name="person_deactivate"),
    path("<int:person_id>/reactivate/", people.reactivate, name="person_reactivate"),
    path("<int:person_id>/sign-out/", people.sign_out, name="person_sign_out"),
]

grant_urls = [
    path("", grants.Grants.as_view(), name="grants"),
    path("export.csv", grants.Grants.as_view(export="csv"), name="grants_csv"),
    path("export.pdf", grants.Grants.as_view(export="pdf"), name="grants_pdf"),
    path("give/", grants.give, name="grant_give"),
    path("<int:grant_id>/", grants.grant, name="grant"),
    path("<int:grant_id>/withdraw/", grants.withdraw, name="grant_withdraw"),
]

urlpatterns = [
    path("", profile.home, name="home"),
    path("profile/", profile.profile, name="profile"),
    path("", include("allauth.account.urls")),
    path("<account:code>/access/", include(access_urls)),
    path("<account:code>/history/", include(history_urls)),
    path("<account:code>/people/", include(people_urls)),
    path("<account:code>/grants/", include(grant_urls)),
    path("<account:code>/accounts/", include(accounts_urls)),
    path("<account:code>/settings/", accounts.own_settings, name="account_settings"),
]
