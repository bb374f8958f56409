"""Signing in and out, one's own profile, and what keeps the sign-in safe."""

from allauth.account import views as passwords
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import include, path, reverse_lazy

from accounts import views
from accounts.sign_in import reauthentication_required

SECURITY = reverse_lazy("mfa_index")

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    # Under allauth's name: its pages lead back to it.
    path("security/", views.security, name="mfa_index"),
    path("security/sessions/end/", views.end_other_sessions, name="end_other_sessions"),
    path("security/sessions/<int:session_id>/end/", views.end_session, name="end_session"),
    path("security/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("security/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("security/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("security/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("security/codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("security/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path(
        "security/passkeys/<int:pk>/name/",
        passkeys.EditWebAuthnView.as_view(success_url=SECURITY),
        name="mfa_edit_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>/remove/",
        passkeys.RemoveWebAuthnView.as_view(success_url=SECURITY),
        name="mfa_remove_webauthn",
    ),
    path("login/code/", factors.authenticate, name="mfa_authenticate"),
    path("login/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("reauthenticate/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("reauthenticate/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    # Asks for the present password by itself; who has a second factor confirms with that too.
    path("password/change/", reauthentication_required(passwords.password_change), name="account_change_password"),
    path("", include("allauth.account.urls")),
]
