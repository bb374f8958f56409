"""A verb for many numbers: chosen and frozen, confirmed, done in batches, cancelled, tried again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Account, Person
from accounts.rules import standing
from numbers.actions import turns
from numbers.actions.verbs import UNDOES, Outcome, Verb, outcomes_of, perform, verbs_of
from numbers.actions.work_ends import notify_of_work
from numbers.models import Job, JobItem, PhoneNumber, Work
from portal import security
from portal.logs import request_facts
from portal.queries import by_key

if TYPE_CHECKING:
    from numbers.listing import Listing

#: A batch is one transaction: so many numbers are held while it lasts, and nothing is lost but a batch.
BATCH = 200
#: So many are done while somebody waits.
AT_ONCE = 200
#: So many are named before somebody confirms.
NAMED = 10
#: A number that was called within this time is one that people use.
RECENT = timedelta(days=7)
#: So many are checked before somebody confirms, for what would be refused: a page waits for it. Of more than these, the
#: page says how many were checked.
CHECKED = 20_000
#: So many of them are read at once.
CHECKED_AT_ONCE = 2_000
FREEZE = """
INSERT INTO numbers_jobitem (account_id, job_id, number_id, e164, digits, since, state, sentence)
SELECT %(job_account)s, %(job)s, chosen.id, chosen.e164, chosen.digits, chosen.since, 'waiting', ''
FROM ({chosen}) chosen
"""
#: What a job has changed, by the ids of its items.
NOTE_CHANGES = """
UPDATE numbers_jobitem i SET was = v.was, made = v.made
FROM unnest(%s::bigint[], %s::jsonb[], %s::jsonb[]) AS v (id, was, made)
WHERE i.id = v.id
"""
#: The numbers that a job has changed and that are still here.
CHANGED = """
SELECT n.id, n.e164, n.digits, n.since FROM numbers_jobitem i JOIN numbers_phonenumber n ON n.id = i.number_id
WHERE i.job_id = %(before)s AND i.state = 'done' AND i.was IS NOT NULL
"""
#: The numbers of a job that were refused or not reached.
FAILED = """
SELECT n.id, n.e164, n.digits, n.since FROM numbers_jobitem i JOIN numbers_phonenumber n ON n.id = i.number_id
WHERE i.job_id = %(before)s AND i.state <> 'done'
"""


@transaction.atomic
def draft_job(actor: Actor, verb: type[Verb], listing: Listing, chosen: str, back: str) -> Job:
    """Freeze the numbers that ``listing`` selects, for something that is confirmed afterwards.

    ``chosen`` says in words which they are, ``back`` is the address of the list.
    """
    if not actor.may("jobs.change") or not verb.is_open_to(actor):
        raise PermissionDenied
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


def foreseen(actor: Actor, job: Job, verb: Verb) -> Counter[str]:
    """How many numbers would be refused at present, by the sentence that says why; checks the first ``CHECKED``."""
    found: Counter[str] = Counter()
    checked, last = 0, 0
    while checked < min(job.total, CHECKED):
        items = waiting(actor, job).filter(number_id__gt=last)[: min(CHECKED_AT_ONCE, CHECKED - checked)]
        since = {item.number_id: item.since for item in items}
        if not since:
            break
        found.update(one.refusal for one in outcomes_of(actor, verb, since, since) if one.refusal)
        checked, last = checked + len(since), max(since)
    return found


@dataclass(frozen=True)
class Affected:
    """What a job will meet: how many of its numbers are in use, how many were called lately, and the first of them."""

    in_use: int
    called: int
    first: list[PhoneNumber]


def affected(actor: Actor, job: Job) -> Affected:
    """The numbers of a draft as they stand now. In use are those that a customer has, inside a customer those that ring
    something; a call of the last ``RECENT`` counts as lately."""
    items = JobItem.visible_to(actor).filter(job=job)
    numbers = PhoneNumber.visible_to(actor).filter(pk__in=items.values("number_id"))
    holder = "destination" if actor.account.is_customer else "customer"
    lately = timezone.now() - RECENT
    counts = numbers.aggregate(in_use=Count(holder), called=Count("pk", filter=Q(last_call_at__gt=lately)))
    related = ("customer", "destination")
    return Affected(
        counts["in_use"], counts["called"], list(numbers.select_related(*related).order_by("digits")[:NAMED])
    )


def waiting(actor: Actor, job: Job):
    """The numbers that nothing has been tried with. Those before are not read again, though the database has not
    tidied them away yet."""
    items = JobItem.visible_to(actor).filter(job=job, state=JobItem.State.WAITING, number_id__gt=job.reached)
    return items.order_by("number_id").only("number_id", "since")


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
    if type(verb) is not verbs_of(actor, of_jobs=True).get(job.verb):
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
        turns.queue(job, actor.account)
    return job


@transaction.atomic
def cancel_job(actor: Actor, job_id: int) -> Job:
    """Do no more of a job; what is done stays done. Waits for the batch that is under way."""
    if not actor.may("jobs.change"):
        raise PermissionDenied
    job = Job.visible_to(actor).select_for_update().get(pk=job_id)
    if job.is_running:
        job.ended(Job.State.CANCELLED)
    elif job.is_draft:
        job.delete()
    return job


@transaction.atomic
def retry_job(actor: Actor, job_id: int) -> Job:
    """Draft a job of the numbers that were refused or not reached, as they stand now, with the same wishes."""
    if not actor.may("jobs.change"):
        raise PermissionDenied
    before = Job.visible_to(actor).select_for_update().get(pk=job_id)
    verb = verbs_of(actor, of_jobs=True).get(before.verb)
    if verb is None:
        raise PermissionDenied
    return draft_of_job(actor, before, FAILED, verb, before.params, all_or_nothing=before.all_or_nothing)


@transaction.atomic
def undo_job(actor: Actor, job_id: int) -> Job:
    """Draft a job that undoes another one, for the numbers that it has changed."""
    if not actor.may("jobs.change"):
        raise PermissionDenied
    before = Job.visible_to(actor).select_for_update().get(pk=job_id)
    undo = UNDOES.get(verbs_of(actor).get(before.verb))
    if undo is None:
        raise PermissionDenied
    return draft_of_job(actor, before, CHANGED, undo, {"of": before.pk})


def undone_by(actor: Actor, job: Job) -> Job | None:
    """The last job that was begun to undo this one."""
    undos = Job.visible_to(actor).filter(verb=f"undo-{job.verb}", params__of=job.pk).exclude(state=Job.State.DRAFT)
    return undos.select_related("person").order_by("-pk").first()


def can_be_undone(actor: Actor, job: Job) -> bool:
    """Whether the actor may undo a job that has ended, and whether it has changed anything."""
    if job.is_draft or job.is_running or not job.done or UNDOES.get(verbs_of(actor).get(job.verb)) is None:
        return False
    return JobItem.visible_to(actor).filter(job=job, was__isnull=False).exists() and not undone_by(actor, job)


def draft_of_job(
    actor: Actor, before: Job, numbers: str, verb: type[Verb], params: dict, *, all_or_nothing: bool = False
) -> Job:
    """Draft a job of some ``numbers`` of another one, as they stand now.

    Raises ``ValidationError`` while the other one goes on.
    """
    if before.is_draft or before.is_running:
        raise ValidationError(_("It has not ended yet: wait, or cancel it."))
    if before.is_forgotten(timezone.now()):
        raise ValidationError(_("Its numbers were removed, because it ended long ago. Choose them in the list."))
    job = new_job(actor, verb, before.chosen, before.back)
    job.params, job.all_or_nothing = params, all_or_nothing
    with connection.cursor() as cursor:
        of_job = {"before": before.pk, "job_account": actor.account.pk, "job": job.pk}
        cursor.execute(FREEZE.format(chosen=numbers), of_job)
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
    if actor is None or job.verb not in verbs_of(actor, of_jobs=True):
        not_allowed(job)
        return False
    token = request_facts.set({"request": job.request_id, "person": job.person_id, "account": account.code})
    try:
        if more := go_on(actor, job):
            turns.heard(job)
        else:
            notify_of_work(job)
        return more
    finally:
        request_facts.reset(token)


def actor_of(job: Work) -> Actor | None:
    """Who confirmed it, with the rights that they have at present; None when they may not work here any more.

    Asked outside the scope, as for a page: the account does not see what was granted to agents of those above it.
    """
    with connection.outside():
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
    verb = verbs_of(actor, of_jobs=True)[job.verb].of(job.params)
    try:
        if job.all_or_nothing:
            do_all(actor, job, verb)
        else:
            do_some(actor, job, verb)
    except ValidationError as refusal:
        job.ended(Job.State.STOPPED, _("Stopped: %(why)s") % {"why": " ".join(refusal.messages)})
        return False
    if job.left:
        job.save()
        return True
    job.ended(Job.State.DONE)
    return False


def do_some(actor: Actor, job: Job, verb: Verb) -> None:
    """Do it to the next numbers."""
    items = list(waiting(actor, job)[:BATCH])
    if items:
        since = {item.number_id: item.since for item in items}
        noted(actor, job, items, perform(actor, verb, since, since=since))
        job.reached = items[-1].number_id


def do_all(actor: Actor, job: Job, verb: Verb) -> None:
    """Do it to every number, or if one is refused to none; then the others say why nothing was done to them."""
    items = list(waiting(actor, job))
    ids = {item.number_id: item.since for item in items}
    outcomes: list[Outcome] = []
    undone = _("Nothing was done to it, because others were refused.")
    with transaction.atomic():
        numbers = sorted(ids)
        # For all of them, before the numbers of the first batch are locked.
        verb.meet(actor, numbers, locks=True)
        for first in range(0, len(numbers), BATCH):
            some = numbers[first : first + BATCH]
            outcomes += perform(actor, verb, some, since=ids)
        refused = any(outcome.refusal for outcome in outcomes)
        if refused:
            transaction.set_rollback(True)
    if refused:
        outcomes = [Outcome(one.number_id, one.number, one.refusal or undone) for one in outcomes]
    noted(actor, job, items, outcomes)


def noted(actor: Actor, job: Job, items: Iterable[JobItem], outcomes: Iterable[Outcome]) -> None:
    """Write down what became of each number."""
    keys = {item.number_id: item.pk for item in items}
    by_sentence: dict[str, list[int]] = {}
    undoable = []
    for outcome in outcomes:
        by_sentence.setdefault(outcome.refusal, []).append(keys[outcome.number_id])
        if outcome.was:
            undoable.append((keys[outcome.number_id], json.dumps(outcome.was), json.dumps(outcome.made)))
    if undoable:
        with connection.cursor() as cursor:
            cursor.execute(NOTE_CHANGES, [*map(list, zip(*undoable, strict=True))])
    for sentence, ids in by_sentence.items():
        state = JobItem.State.REFUSED if sentence else JobItem.State.DONE
        of_job = JobItem.visible_to(actor).filter(job=job)
        by_key(of_job, pk__in=ids).update(state=state, sentence=sentence[:500])
        if sentence:
            job.refused += len(ids)
        else:
            job.done += len(ids)


def not_allowed(work: Work) -> None:
    """End work whose person may not do it any more."""
    work.ended(Work.State.STOPPED, _("Stopped: %(person)s may not do this any more.") % {"person": work.person.name})
    notify_of_work(work)
    security.log("work.stopped", **work.person.for_log, work=f"{work._meta.model_name} {work.pk}")
