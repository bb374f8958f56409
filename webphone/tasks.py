"""What the worker does about calls: whoever lost the end of one is not to keep it open for ever."""

from collections import defaultdict

from django.utils import timezone
from procrastinate.contrib.django import app

from accounts.scope import scope
from numbers.tasks import account_called
from webphone.actions.calls import SILENCE, look_for_silent
from webphone.models import Call
from webphone.telephony import telephony

LOOKED_FOR_AT_ONCE = 500


@app.periodic(cron="* * * * *")
@app.task(name="webphone.close_lost_calls", queue="numbers", queueing_lock="webphone.close_lost_calls")
def close_lost_calls(timestamp: int) -> None:
    """Ask the telephony after calls that it has not told of for a while, and close those that it does not know."""
    system = account_called("SYS")
    if system is None:  # nobody has set the portal up yet
        return
    with scope(system):
        silent = Call.open_since(timezone.now() - SILENCE).order_by("heard_at")
        lost = defaultdict(list)
        for ref, code in silent.values_list("ref", "account__code")[:LOOKED_FOR_AT_ONCE]:
            lost[code].append(ref)
    if not lost:
        return
    way = telephony()
    live = way.live() if way else None
    for code, refs in lost.items():
        account = account_called(code)
        with scope(account):
            look_for_silent(account, refs, live)
