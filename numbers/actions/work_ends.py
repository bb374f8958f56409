"""Imports and jobs end in the background: the person who started them is notified."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import notices
from numbers.actions.verbs import OF_CUSTOMERS, OF_VARS, UNDOES
from numbers.models import Import, Job, Work


def notify_of_work(work: Work) -> None:
    """Notify the person who started an import or a job that it has ended, in the transaction that ends it."""
    facts = {
        "work": work.pk,
        "state": work.state,
        "total": work.total,
        "done": work.done,
        "refused": work.refused,
        "without_change": work.is_without_change,
        "problem": work.problem,
    }
    if isinstance(work, Import):
        facts |= {"page": "import_page", "name": work.file_name or _("The import")}
    else:
        facts |= {"page": "job", "name": called(work)}
    key = f"{facts['page']}:{work.pk}:{work.state}:{timezone.now():%Y%m%d%H%M%S%f}"
    notices.notify("work", work.account, facts, key=key, by=work.person)


def called(job: Job) -> str:
    """What a job does, in words."""
    verbs = (*OF_VARS, *OF_CUSTOMERS, *UNDOES.values())
    return next((str(verb.label) for verb in verbs if verb.slug == job.verb), job.verb)
