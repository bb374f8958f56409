"""Signing in and out, one's own profile, what keeps the sign-in safe, and working in accounts."""

from allauth.account import views as passwords
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import include, path, re_path, reverse_lazy

from accounts.confirmation import reauthentication_required
from accounts.second_factor import link_opened_first
from accounts.sign_in import passkeys_begun_limited
from accounts.views import (
    access,
    accounts,
    confirmation,
    grants,
    history,
    links,
    notices,
    people,
    profile,
    providers,
    security,
)

access_urls = [
    *access.AccessHistory.paths(),
    path("leave/", access.leave, name="access_leave"),
    path("decide/", access.decide, name="access_decide"),
    path("consent/", access.consent, name="access_consent"),
]

accounts_urls = [
    *accounts.AccountList.paths(),
    path("suggestions/", accounts.suggestions, name="accounts_suggestions"),
    path("add/", accounts.add, name="accounts_add"),
    path("<account:other>/", accounts.edit, name="accounts_edit"),
    path("<account:other>/invite/", accounts.invite, name="accounts_invite"),
    path("<account:other>/suspend/", accounts.suspend, name="accounts_suspend"),
    path("<account:other>/reactivate/", accounts.reactivate, name="accounts_reactivate"),
    path("<account:other>/close/", accounts.close, name="accounts_close"),
]

history_urls = [
    *history.History.paths(),
]

people_urls = [
    *people.People.paths(),
    path("invite/", people.invite, name="person_invite"),
    path("<int:person_id>/", people.person, name="person"),
    path("<int:person_id>/resend/", people.resend, name="person_resend"),
    path("<int:person_id>/deactivate/", people.deactivate, name="person_deactivate"),
    path("<int:person_id>/reactivate/", people.reactivate, name="person_reactivate"),
    path("<int:person_id>/sign-out/", people.sign_out, name="person_sign_out"),
]

grant_urls = [
    *grants.Grants.paths(),
    path("give/", grants.give, name="grant_give"),
    path("<int:grant_id>/", grants.grant, name="grant"),
    path("<int:grant_id>/withdraw/", grants.withdraw, name="grant_withdraw"),
]

notice_urls = [
    *notices.Notices.paths(),
    path("<int:notice_id>/open/", notices.open_notice, name="notice_open"),
    path("read/", notices.read_all, name="notices_read"),
    path("choose/", notices.choose, name="notices_chosen"),
    path("off/<str:token>/", notices.off, name="notices_off"),
]

SECURITY = reverse_lazy("mfa_index")
#: allauth asks people for confirmation who have a password or a second factor, and lets everybody else through: those
#: who sign in with an identity provider alone are asked here.
confirmed = reauthentication_required

urlpatterns = [
    path("", profile.home, name="home"),
    path("profile/", profile.profile, name="profile"),
    path("notices/", include(notice_urls)),
    # Under allauth's name: its pages lead back to it.
    path("security/", security.security, name="mfa_index"),
    path("security/sessions/end/", security.end_other_sessions, name="end_other_sessions"),
    path("security/sessions/<int:session_id>/end/", security.end_session, name="end_session"),
    path("security/app/", link_opened_first(confirmed(totp.activate_totp)), name="mfa_activate_totp"),
    path("security/app/remove/", confirmed(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("security/codes/", confirmed(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("security/codes/new/", confirmed(recovery_codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path(
        "security/codes/download/",
        confirmed(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("security/passkeys/add/", link_opened_first(confirmed(passkeys.add_webauthn)), name="mfa_add_webauthn"),
    path(
        "security/passkeys/<int:pk>/name/",
        confirmed(passkeys.EditWebAuthnView.as_view(success_url=SECURITY)),
        name="mfa_edit_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>/remove/",
        confirmed(passkeys.RemoveWebAuthnView.as_view(success_url=SECURITY)),
        name="mfa_remove_webauthn",
    ),
    path("login/code/", factors.authenticate, name="mfa_authenticate"),
    path("login/passkey/", passkeys_begun_limited(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("login/link/", links.link, name="link"),
    path("login/with/<slug:provider>/", providers.begin, name="provider_begin"),
    path("login/with/<slug:provider>/callback/", providers.callback, name="provider_callback"),
    path("login/with/<slug:provider>/join/", providers.join, name="provider_join"),
    path("security/with/<slug:provider>/remove/", providers.unlink, name="provider_unlink"),
    path("reauthenticate/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("reauthenticate/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("reauthenticate/provider/", providers.confirm, name="provider_confirm"),
    path("reauthenticate/form/", confirmation.waiting_form, name="waiting_form"),
    # Asks for the present password by itself; who has a second factor confirms with that too.
    path("password/change/", reauthentication_required(passwords.password_change), name="account_change_password"),
    # Before allauth's own, which says nothing of links that do not hold.
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        security.PasswordFromLink.as_view(),
        name="account_reset_password_from_key",
    ),
    path("password/set/", confirmed(passwords.password_set), name="account_set_password"),
    path("login/", security.SignIn.as_view(), name="account_login"),
    path("", include("allauth.account.urls")),
    path("<account:code>/access/", include(access_urls)),
    path("<account:code>/history/", include(history_urls)),
    path("<account:code>/people/", include(people_urls)),
    path("<account:code>/grants/", include(grant_urls)),
    path("<account:code>/accounts/", include(accounts_urls)),
    path("<account:code>/settings/", accounts.own_settings, name="account_settings"),
]
