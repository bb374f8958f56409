"""A verb for many numbers: chosen and frozen, confirmed, done in batches, cancelled, tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from accounts.actor import Actor
from accounts.models import Account, Person
from accounts.rules import standing
from numbers.actions.verbs import Outcome, Verb, outcomes_of, perform, verbs_of
from numbers.models import Job, JobItem, Work
from portal.logs import request_facts

if TYPE_CHECKING:
    from numbers.listing import Listing

#: A batch is one transaction: so many numbers are held while it lasts, and nothing is lost but a batch.
BATCH = 200
#: So many are done while somebody waits.
AT_ONCE = 200
#: So many are looked at before somebody confirms, for what would be refused.
LOOKED_AT = 2_000
#: The worker's task that takes a job up, ``numbers.tasks.run_job``.
TASK = "numbers.run_job"
DRAFTS_KEPT = timedelta(days=1)
FREEZE = """
INSERT INTO numbers_jobitem (account_id, job_id, number_id, e164, digits, since, state, sentence)
SELECT %(job_account)s, %(job)s, chosen.id, chosen.e164, chosen.digits, chosen.since, 'waiting', ''
FROM ({chosen}) chosen
"""


@transaction.atomic
def draft_job(actor: Actor, verb: type[Verb], listing: Listing, chosen: str, back: str) -> Job:
    """Freeze the numbers that ``listing`` selects, for something that is confirmed afterwards.

    ``chosen`` says in words which they are, ``back`` is the address of the list.
    """
    if not actor.may("jobs.change") or not verb.is_open_to(actor):
        raise PermissionDenied
    forget_drafts(actor)
    job = new_job(actor, verb, chosen, back)
    statement, params = listing.chosen()
    with connection.cursor() as cursor:
        cursor.execute(FREEZE.format(chosen=statement), params | {"job_account": actor.account.pk, "job": job.pk})
        job.total = cursor.rowcount
    job.save(update_fields=["total"])
    return job


def new_job(actor: Actor, verb: type[Verb], chosen: str, back: str) -> Job:
    return Job.visible_to(actor).create(
        account=actor.account,
        **Job.by(actor),
        verb=verb.slug,
        chosen=chosen[:500],
        back=back[:2000],
    )


def forget_drafts(actor: Actor) -> None:
    """Remove what was chosen a day ago and never confirmed."""
    old = Job.visible_to(actor).filter(state=Job.State.DRAFT, as_of__lt=timezone.now() - DRAFTS_KEPT)
    for job in old.select_for_update(skip_locked=True):
        job.delete()


def foreseen(actor: Actor, job: Job, verb: Verb) -> Counter[str]:
    """How many numbers would be refused at present, by the sentence that says why; looks at the first ones only."""
    since = dict(waiting(actor, job)[:LOOKED_AT])
    return Counter(one.refusal for one in outcomes_of(actor, verb, since, since) if one.refusal)


def waiting(actor: Actor, job: Job):
    """The ids of the numbers that nothing has been tried with, and since when they stood as chosen."""
    items = JobItem.visible_to(actor).filter(job=job, state=JobItem.State.WAITING)
    return items.order_by("number_id").values_list("number_id", "since")


@transaction.atomic
def confirm_job(actor: Actor, job_id: int, verb: Verb, *, all_or_nothing: bool) -> Job:
    """Begin what was drafted; few numbers are done at once, many by the worker. Confirmed twice, it is begun once.

    Raises ``Job.DoesNotExist`` for everybody else's, and ``ValidationError`` where nothing can be done to any number.
    """
    if not actor.may("jobs.change") or not verb.is_open_to(actor):
        raise PermissionDenied
    job = Job.visible_to(actor).select_for_update().get(pk=job_id)
    if not job.is_draft:
        return job
    if type(verb) is not verbs_of(actor).get(job.verb):
        raise PermissionDenied
    verb.prepare(actor)
    job.params, job.all_or_nothing = verb.params, all_or_nothing
    job.acted_by(actor)
    job.state, job.started_at = Job.State.RUNNING, timezone.now()
    job.save()
    if job.total <= AT_ONCE:
        go_on(actor, job)
    else:
        # In this transaction: it is queued if and only if the job is begun.
        app.configure_task(TASK, queue="numbers").defer(job_id=job.pk, account=actor.account.code)
    return job


@transaction.atomic
def cancel_job(actor: Actor, job_id: int) -> Job:
    """Do no more of a job; what is done stays done. Waits for the batch that is under way."""
    if not actor.may("jobs.change"):
        raise PermissionDenied
    job = Job.visible_to(actor).select_for_update().get(pk=job_id)
    if job.is_running:
        ended(job, Job.State.CANCELLED)
    elif job.is_draft:
        job.delete()
    return job


@transaction.atomic
def retry_job(actor: Actor, job_id: int) -> Job:
    """Draft a job of the numbers that were refused or not reached, as they stand now, with the same wishes."""
    if not actor.may("jobs.change"):
        raise PermissionDenied
    before = Job.visible_to(actor).select_for_update().get(pk=job_id)
    verb = verbs_of(actor).get(before.verb)
    if verb is None:
        raise PermissionDenied
    if before.is_draft or before.is_running:
        raise ValidationError(_("It has not ended yet: wait, or cancel it."))
    job = new_job(actor, verb, before.chosen, before.back)
    job.params, job.all_or_nothing = before.params, before.all_or_nothing
    with connection.cursor() as cursor:
        cursor.execute(
            FREEZE.format(
                chosen="SELECT n.id, n.e164, n.digits, n.since FROM numbers_jobitem i"
                " JOIN numbers_phonenumber n ON n.id = i.number_id WHERE i.job_id = %(before)s AND i.state <> 'done'"
            ),
            {"before": before.pk, "job_account": actor.account.pk, "job": job.pk},
        )
        job.total = cursor.rowcount
    job.save()
    return job


# Doing


@transaction.atomic
def take_up(account: Account, job_id: int) -> bool:
    """Do the next batch of a running job; whether there is more to do. Somebody else who is at it is left alone."""
    job = Job.running_in(account).select_for_update(skip_locked=True, of=("self",)).filter(pk=job_id).first()
    if job is None:
        return False
    actor = actor_of(job)
    if actor is None or job.verb not in verbs_of(actor):
        ended(job, Job.State.STOPPED, _("Stopped: %(person)s may not do this any more.") % {"person": job.person.name})
        return False
    token = request_facts.set({"request": job.request_id, "person": job.person_id, "account": account.code})
    try:
        return go_on(actor, job)
    finally:
        request_facts.reset(token)


def actor_of(job: Work) -> Actor | None:
    """Who confirmed it, with the rights that they have at present; None when they may not work here any more."""
    person = Person.objects.select_related("account").filter(pk=job.person_id, is_active=True).first()
    account = Account.called(job.account.code)
    if person is None or not account.is_open:
        return None
    if person.account_id == account.pk:
        return Actor.at_home(person)
    found = standing(person, account.code)
    if found is None or found.closed or job.access is None or (job.access.manages and not found.manages):
        return None
    return found.actor(job.access)


def go_on(actor: Actor, job: Job) -> bool:
    """Do a batch, or where it is all or nothing the whole job, in the transaction that holds the job's row."""
    verb = verbs_of(actor)[job.verb].of(job.params)
    try:
        if job.all_or_nothing:
            do_all(actor, job, verb)
        else:
            ids = dict(waiting(actor, job)[:BATCH])
            noted(actor, job, perform(actor, verb, ids, since=ids) if ids else [])
    except ValidationError as refusal:
        ended(job, Job.State.STOPPED, _("Stopped: %(why)s") % {"why": " ".join(refusal.messages)})
        return False
    if job.left:
        job.save()
        return True
    ended(job, Job.State.DONE)
    return False


def do_all(actor: Actor, job: Job, verb: Verb) -> None:
    """Do it to every number, or if one is refused to none; then the others say why nothing was done to them."""
    ids = dict(waiting(actor, job))
    outcomes: list[Outcome] = []
    undone = _("Nothing was done to it, because others were refused.")
    with transaction.atomic():
        numbers = sorted(ids)
        for first in range(0, len(numbers), BATCH):
            some = numbers[first : first + BATCH]
            outcomes += perform(actor, verb, some, since=ids)
        refused = any(outcome.refusal for outcome in outcomes)
        if refused:
            transaction.set_rollback(True)
    if refused:
        outcomes = [Outcome(one.number_id, one.number, one.refusal or undone) for one in outcomes]
    noted(actor, job, outcomes)


def noted(actor: Actor, job: Job, outcomes: Iterable[Outcome]) -> None:
    """Write down what became of each number."""
    by_sentence: dict[str, list[int]] = {}
    for outcome in outcomes:
        by_sentence.setdefault(outcome.refusal, []).append(outcome.number_id)
    for sentence, ids in by_sentence.items():
        state = JobItem.State.REFUSED if sentence else JobItem.State.DONE
        items = JobItem.visible_to(actor).filter(job=job, number_id__in=ids)
        items.update(state=state, sentence=sentence[:500])
        if sentence:
            job.refused += len(ids)
        else:
            job.done += len(ids)


def ended(job: Work, state: Work.State, problem: str = "") -> None:
    job.state, job.ended_at, job.problem = state, timezone.now(), problem[:500]
    job.save()
