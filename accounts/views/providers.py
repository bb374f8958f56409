"""Signing in with an identity provider: to it, and back; the same to confirm who somebody is; and removing the link."""

import time
from http import HTTPStatus

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.models import Login
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, oidc
from accounts import single_sign_on as sso
from accounts.confirmation import reauthentication_required
from accounts.sign_in import proof_changed, providers_begun_limited
from portal import security
from portal.links import base_url
from portal.middleware import content_policy
from portal.single_sign_on import Provider, authorization_origins, provider_called

#: What a sign-in that has begun is for.
SIGN_IN, CONFIRM = "sign_in", "confirm"
#: The key of the session for an invitation that is shown, and for how many seconds it can be accepted there.
INVITED, INVITED_SECONDS = "provider_invited", 600
#: What a provider may say instead of a code (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6). Other words are not
#: written into the log.
ERRORS = {
    "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required",
    "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error",
    "temporarily_unavailable",
}  # fmt: skip
#: Of these: the person did not sign in there; it may work in a while.
NOT_SIGNED_IN = {"access_denied", "login_required", "interaction_required", "consent_required"}
FOR_A_WHILE = {"server_error", "temporarily_unavailable"}


def leads_to_providers(response: HttpResponse) -> HttpResponse:
    """Let the forms of a page lead to the providers: Chromium asks the policy of the page for each redirection."""
    if origins := authorization_origins():
        response["Content-Security-Policy"] = content_policy(form_action=origins)
    return response


def own_page(path: str) -> str:
    """``path`` if it is a page of the portal's own; nothing otherwise."""
    is_ours = path.startswith("/") and path.isprintable() and url_has_allowed_host_and_scheme(path, None)
    return path if is_ours else ""


def found(provider_id: str) -> Provider:
    """The provider of an address; the page of one that is not in the settings does not exist."""
    if (provider := provider_called(provider_id)) is None:
        raise Http404
    return provider


@never_cache
@require_POST
@providers_begun_limited
def begin(request, provider):
    """Send the browser to a provider."""
    provider, after = found(provider), own_page(request.POST.get("next", ""))
    if request.actor is not None:
        return redirect(after or "home")
    return sent_on(request, provider, {"purpose": SIGN_IN, "next": after})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request):
    """Offer the providers at which the person confirms their identity; send the browser to the one they choose."""
    after = own_page(request.GET.get("next", "") or request.POST.get("next", ""))
    providers = sso.confirming_providers(request.actor.person)
    if not providers:
        return redirect("home")
    if request.method == "POST":
        return confirm_at(request, providers, after)
    others = [
        one
        for one in get_adapter(request).get_reauthentication_methods(request.actor.person)
        if one["id"] != "provider"
    ]
    for other in others:
        other["url"] += f"?{urlencode({'next': after})}"
    context = {"providers": providers, "next": after, "reauthentication_alternatives": others}
    return leads_to_providers(render(request, "accounts/provider_confirm.html", context))


@providers_begun_limited
def confirm_at(request, providers, after):
    """Send the browser to the provider that was chosen, to be signed in there anew."""
    provider = found(request.POST.get("provider", ""))
    if provider not in providers:
        raise Http404
    return sent_on(request, provider, {"purpose": CONFIRM, "next": after, "person": request.actor.person.pk})


def sent_on(request, provider: Provider, purpose: dict) -> HttpResponse:
    """The redirection to a provider. What comes back is held against what the session keeps until then."""
    try:
        with oidc.deadline() as until:
            endpoints = oidc.endpoints_of(provider, until)
    except oidc.Failed as failure:
        return failed(request, provider, failure)
    start = oidc.started(provider, callback_of(request, provider), again=purpose["purpose"] == CONFIRM)
    state = statekit.stash_state(request, provider_id=provider.issuer, state=purpose | start.kept)
    return HttpResponseRedirect(oidc.address_of(endpoints, start.parameters | {"state": state}))


def callback_of(request, provider: Provider) -> str:
    """Where the provider sends the browser back: at the portal's own address, whatever host the request names."""
    return base_url(request) + reverse("provider_callback", args=[provider.id])


@never_cache
@require_GET
def callback(request, provider):
    """Take back a browser from a provider, once: what it brings counts in the session that sent it there."""
    provider = found(provider)
    kept = statekit.unstash_state(request, provider_id=provider.issuer, state_id=request.GET.get("state", ""))
    if kept is None:
        return failed(request, provider, oidc.Failed("state", HTTPStatus.BAD_REQUEST))
    try:
        return came_back(request, provider, kept)
    except oidc.Failed as failure:
        return failed(request, provider, failure)
    except sso.Refused as refusal:
        return refused(request, provider, refusal)
    except sso.Invited as invitation:
        return invited(request, provider, invitation, kept["next"])


def came_back(request, provider: Provider, kept: dict) -> HttpResponse:
    """What a browser that was expected gets. Raises ``oidc.Failed``, ``single_sign_on.Refused`` and
    ``single_sign_on.Invited``."""
    is_confirming = kept["purpose"] == CONFIRM
    person = request.actor.person if request.actor else None
    if is_confirming and (person is None or person.pk != kept["person"]):
        raise oidc.Failed("session", HTTPStatus.BAD_REQUEST)
    if not is_confirming and person is not None:
        # Somebody signed in meanwhile, in another tab. Who that is does not change behind their back.
        return redirect(kept["next"] or "home")
    # Another provider's answer, sent here to be believed (RFC 9207).
    if request.GET.get("iss", provider.issuer) != provider.issuer:
        raise oidc.Failed("issuer")
    code = request.GET.get("code", "")
    if "error" in request.GET or not code:
        raise failure_said(request.GET.get("error", ""))
    with oidc.deadline() as until:
        endpoints = oidc.endpoints_of(provider, until)
        answer = oidc.redeemed(
            provider,
            endpoints,
            until,
            code=code,
            verifier=kept["verifier"],
            redirect_uri=callback_of(request, provider),
        )
        claims = oidc.claims_of(provider, endpoints, until, answer, kept["nonce"])
        subject = claims["sub"]
        linked = sso.linked_person(provider, subject)
        said = claims
        if linked is None and not is_confirming and "email" not in claims:
            said = oidc.claims_of_userinfo(endpoints, until, answer, subject)
    if is_confirming:
        return confirmed(request, provider, kept, claims, linked)
    person = sso.person_of(provider, subject, linked, said)
    if linked is None:
        tell_of_link(request, provider, person)
    return signed_in(request, provider, person, kept["next"])


def tell_of_link(request, provider: Provider, person) -> None:
    """Mail a person that they can sign in with a provider from now on."""
    get_adapter(request).send_notification_mail("account/email/provider_linked", person, {"provider": provider.name})


def invited(request, provider: Provider, invitation: sso.Invited, after: str) -> HttpResponse:
    """Show somebody who has not joined which accounts have invited them. Nothing is linked before they choose one: who
    invites may be anybody."""
    request.session[INVITED] = {
        "provider": provider.id,
        "subject": invitation.subject,
        "email": invitation.email,
        "next": after,
        "until": time.time() + INVITED_SECONDS,
    }
    accounts = [person.account for person in invitation.people]
    context = {"provider": provider, "email": invitation.email, "accounts": accounts}
    return render(request, "accounts/provider_invited.html", context)


@never_cache
@require_POST
@providers_begun_limited
def join(request, provider):
    """Accept the invitation of an account, as the person who has just signed in at the provider."""
    provider, kept = found(provider), request.session.pop(INVITED, None)
    if kept is None or kept["provider"] != provider.id or kept["until"] < time.time() or request.actor is not None:
        return failed(request, provider, oidc.Failed("state", HTTPStatus.BAD_REQUEST))
    try:
        person = sso.joined(provider, kept["subject"], kept["email"], request.POST.get("account", ""))
    except sso.Refused as refusal:
        return refused(request, provider, refusal)
    security.log("invitation.accepted", request, **person.for_log)
    tell_of_link(request, provider, person)
    return signed_in(request, provider, person, kept["next"])


def failure_said(error: str) -> oidc.Failed:
    """What a provider says instead of a code. Its sentences are neither shown nor logged: anybody can write them."""
    known = error if error in ERRORS else "other"
    if known in NOT_SIGNED_IN:
        return oidc.Failed(known, HTTPStatus.FORBIDDEN)
    return oidc.Failed(known, HTTPStatus.SERVICE_UNAVAILABLE if known in FOR_A_WHILE else HTTPStatus.BAD_GATEWAY)


def signed_in(request, provider: Provider, person, after: str) -> HttpResponse:
    """Go on as after the right password: with the second factor, then to the page that was asked for."""
    record_authentication(request, person, sso.RECORDED, type=sso.METHOD, provider=provider.issuer)
    response = perform_login(request, Login(user=person, redirect_url=after or None, email=person.email))
    request.session.set_expiry(0)
    return response


def confirmed(request, provider: Provider, kept: dict, claims: dict, linked) -> HttpResponse:
    """The person has shown that it is still them; go on with what they wanted to do."""
    person = request.actor.person
    if linked is None or linked.pk != person.pk:
        raise sso.Refused("other_person", person)
    if not oidc.was_just_now(claims, kept["began"]):
        raise oidc.Failed("auth_time", HTTPStatus.FORBIDDEN)
    record_authentication(
        request, person, sso.RECORDED, type=sso.METHOD, provider=provider.issuer, reauthenticated=True
    )
    # allauth sends the form that was waiting, if the next page is the form's.
    request.GET = request.GET.copy()
    request.GET["next"] = kept["next"]
    return resume_request(request) or redirect("home")


def failed(request, provider: Provider, failure: oidc.Failed) -> HttpResponse:
    """Say that a sign-in with a provider did not come about, and what to do."""
    security.log("sign_in.provider_failed", request, provider=provider.id, why=failure.why)
    if failure.why in ("state", "session"):
        said = _("This sign-in has expired or was already used. Start again.")
    elif failure.why in NOT_SIGNED_IN:
        said = _("You did not sign in at {name}. Start again, or ask its administrator for access to this portal.")
    elif failure.why == "auth_time":
        said = _(
            "{name} does not say that you signed in there just now. Choose another way to confirm that it is you, or"
            " sign out and sign in again."
        )
    elif failure.status == HTTPStatus.SERVICE_UNAVAILABLE:
        said = _("{name} does not answer at the moment. Wait a minute, then start again.")
    else:
        said = _(
            "The portal cannot use the answer of {name}. Start again. If it happens again, tell your administrator."
        )
    return problem(request, said.format(name=provider.name), failure.status)


def refused(request, provider: Provider, refusal: sso.Refused) -> HttpResponse:
    """Say that no account is linked to this sign-in, in the same words whatever the reason."""
    facts = refusal.person.for_log if refusal.person else {}
    if refusal.email:
        facts["name_hash"] = security.hash_of(refusal.email)
    security.log("sign_in.provider_refused", request, **facts, provider=provider.id, why=refusal.why)
    said = _(
        "You signed in at {name}, but no account here is linked to that sign-in. Ask your administrator to invite you"
        " with the address that you have there."
    )
    return problem(request, said.format(name=provider.name), HTTPStatus.FORBIDDEN)


def problem(request, said: str, status: HTTPStatus) -> HttpResponse:
    response = render(request, "accounts/provider_problem.html", {"said": said}, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "60"
    return response


@require_POST
@reauthentication_required
def unlink(request, provider):
    """Remove the link to a provider from oneself."""
    provider, person = found(provider), request.actor.person
    try:
        actions.unlink_provider(request.actor, provider)
    except SocialAccount.DoesNotExist:
        raise Http404 from None
    except ValidationError as refusal:
        messages.error(request, refusal.message)
        return redirect("mfa_index")
    get_adapter(request).send_notification_mail("account/email/provider_unlinked", person, {"provider": provider.name})
    proof_changed(request, person)
    messages.success(request, _("The link to {name} is removed.").format(name=provider.name))
    return redirect("mfa_index")
