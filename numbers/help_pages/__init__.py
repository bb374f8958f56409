"""The help: what each page is for, in the words of those who use it."""

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from numbers.help_pages.of_accounts import OF_ACCOUNTS
from numbers.help_pages.of_carriers import OF_CARRIERS
from numbers.help_pages.of_numbers import OF_NUMBERS
from numbers.help_pages.of_roles import OF_ROLES
from numbers.help_pages.of_verbs import OF_VERBS
from numbers.help_pages.of_webphone import OF_WEBPHONE

TOPICS = OF_NUMBERS | OF_ROLES | OF_CARRIERS | OF_VERBS | OF_WEBPHONE | OF_ACCOUNTS


@require_safe
def index(request, code):
    """The help's first page."""
    return page(request, code, "phone-numbers" if request.actor.may("numbers.view") else "home")


@require_safe
def page(request, code, topic):
    """One topic, with the list of all."""
    if topic not in TOPICS:
        raise Http404
    found = TOPICS[topic]
    topics = [
        {"title": t.title, "url": reverse("help_topic", args=[code, name]), "active": name == topic}
        for name, t in TOPICS.items()
    ]
    context = {
        "title": found.title,
        "topic": {
            "title": found.title,
            "body": [{"heading": heading, "paragraphs": paragraphs} for heading, paragraphs in found.sections],
        },
        "topics": topics,
    }
    return render(request, "portal/help.html", context)
