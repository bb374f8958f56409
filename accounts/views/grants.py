"""Which support agent may work in which account: given and withdrawn by their administrators, shown to the agent."""

from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions
from accounts.actor import Actor
from accounts.filters import GrantFilter, grant_modes
from accounts.forms import GrantForm
from accounts.models import Account, Grant, Person
from accounts.tables import grant_columns
from portal.pages import ListPage, url_of
from portal.times import moment

#: As many accounts are named when what was typed fits several.
NAMED = 5


class Grants(ListPage):
    """What was granted to the account's support agents."""

    title = gettext_lazy("Delegation")
    addresses = ("grants", "grants_csv", "grants_pdf")
    csv_name = "Delegation.csv"
    filter_class = GrantFilter
    template_name = "accounts/grants.html"
    rows_template = "accounts/_grant_rows.html"
    columns = staticmethod(grant_columns)
    parts = {"account": ("account_name", "account_code")}
    widths = {"agent": 22, "account": 30, "mode": 12, "until": 18, "by": 18}

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "grants_url": url_of("grants", code),
            "give_url": url_of("grant_give", code) if request.actor.may("grants.change") else "",
        }


def named_account(actor: Actor, text: str) -> Account:
    """The account below the actor's that is meant. Raises ``ValidationError`` where it is none, or several."""
    found = Account.meant_by(actor, text, NAMED + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValidationError({"account": _("No account below yours is called that. Type its code or its name.")})
    names = ", ".join(f"{account.name} ({account.code})" for account in found[:NAMED])
    if len(found) > NAMED:
        names += " …"
    raise ValidationError({"account": _("Several accounts fit: %(names)s. Type the code of one.") % {"names": names}})


@require_http_methods(["GET", "HEAD", "POST"])
def give(request, code):
    """Grant an agent an account."""
    agents = list(Person.visible_to(request.actor).agents().order_by("name", "pk").values_list("pk", "name"))
    form = GrantForm(request.POST if request.method == "POST" else None, agents=agents)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            account = named_account(request.actor, typed["account"])
            given = actions.give_grant(
                request.actor,
                agent_id=typed["agent"],
                account_id=account.pk,
                manages=typed["manages"],
                until=typed["until"],
            )
        except (Person.DoesNotExist, Account.DoesNotExist) as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            said = {"agent": given.user.name, "account": account.name}
            messages.success(request, _("%(agent)s may enter %(account)s now.") % said)
            return redirect("grants", code=code)
    context = {
        "title": _("Grant access"),
        "form": form,
        "agents": agents,
        "submit_label": _("Grant"),
        "cancel_url": url_of("grants", code),
        "invite_url": url_of("person_invite", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/grant_give.html", context, status=status)


@require_safe
def grant(request, code, grant_id):
    """One grant."""
    grants = Grant.visible_to(request.actor).select_related("user", "content_object", "permission", "granted_by")
    found = grants.filter(pk=grant_id).first()
    if found is None:
        raise Http404
    context = {
        "grant": found,
        "mode": dict(grant_modes())[found.permission.codename],
        "until": moment(found.until, ZoneInfo(request.actor.person.time_zone)),
        "grants_url": url_of("grants", code),
        "may_change": request.actor.may("grants.change"),
    }
    return render(request, "accounts/grant.html", context)


@require_POST
def withdraw(request, code, grant_id):
    """Take a grant back."""
    try:
        taken = actions.withdraw_grant(request.actor, grant_id)
    except Grant.DoesNotExist as gone:
        raise Http404 from gone
    said = {"agent": taken.user.name, "account": taken.content_object.name}
    messages.success(request, _("%(agent)s may not enter %(account)s any more.") % said)
    return redirect("grants", code=code)


def granted_accounts(agent: Person) -> list[dict]:
    """The accounts that a support agent may enter, by name, each once: to manage, where that was granted as well."""
    zone, modes = ZoneInfo(agent.time_zone), dict(grant_modes())
    best: dict[int, Grant] = {}
    grants = Grant.live_of(agent).select_related("content_object", "permission")
    for found in grants.order_by("content_object__name_folded", "content_object", "permission__codename"):
        best.setdefault(found.content_object_id, found)  # manage_account comes before view_account
    return [
        {
            "name": found.content_object.name,
            "code": found.content_object.code,
            "kind": found.content_object.kind_label,
            "mode": modes[found.permission.codename],
            "until": moment(found.until, zone),
        }
        for found in best.values()
    ]
