"""What a page costs outside the database, beside what django-tables2 alone takes to draw the same rows.

python -m tests.bench.render ours|tables2 prints the milliseconds of one; each runs in a process of its own.
"""

import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench import web
from tests.bench.data import run
from tests.bench.result import Result, times

ROUNDS = 200
WARM_UP = 20


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    os.environ["BENCH_COOKIE"] = web.administrator(ours, "SYS")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    mine, table = [], []
    for _turn in range(3):
        mine.append(float(run(["-m", "tests.bench.render", "ours"], ours)))
        table.append(float(run(["-m", "tests.bench.render", "tables2"], peers)))
    del os.environ["DJANGO_SETTINGS_MODULE"]
    yield times(
        "a page's CPU outside the database, tables2's table", statistics.median(mine), statistics.median(table), 8
    )


def milliseconds(act: Callable[[], float]) -> float:
    """The median CPU milliseconds of ``act``, less what it returns: the share that does not count."""
    taken = []
    for turn in range(WARM_UP + ROUNDS):
        start = time.process_time()
        away = act()
        taken += [(time.process_time() - start - away) * 1000] if turn >= WARM_UP else []
    return statistics.median(taken)


def ours() -> float:
    """Whole requests through the WSGI application, less what the cursor's ``execute`` takes of them."""
    from django.db.backends.utils import CursorWrapper  # noqa: PLC0415 - settings come first

    from portal.wsgi import application  # noqa: PLC0415

    inside = [0.0]
    execute = CursorWrapper.execute

    def timed(self, *arguments, **options):
        start = time.process_time()
        try:
            return execute(self, *arguments, **options)
        finally:
            inside[0] += time.process_time() - start

    CursorWrapper.execute = timed

    def request() -> float:
        inside[0] = 0.0
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": "/SYS/numbers/", "QUERY_STRING": "", "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_COOKIE": f"sessionid={os.environ['BENCH_COOKIE']}; csrftoken={'a' * 32}", "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }  # fmt: skip
        status = []
        body = b"".join(application(environ, lambda text, headers, info=None: status.append(text)))
        if not status[0].startswith("200") or body.count(b'name="selected"') != 50:
            raise RuntimeError(status[0])
        return inside[0]

    return milliseconds(request)


def tables2() -> float:
    """django-tables2 drawing the rows of the peers' first page, which are in memory already."""
    from django.template import engines  # noqa: PLC0415
    from django.test import RequestFactory  # noqa: PLC0415

    from tests.bench import peers  # noqa: PLC0415

    rows = list(peers.Number.objects.select_related(*peers.RELATED).order_by("e164")[:50])
    page = engines["django"].from_string("{% load django_tables2 %}{% render_table table %}")
    request = RequestFactory().get("/plain/")

    def draw() -> float:
        page.render({"table": peers.NumberTable(rows)}, request)
        return 0.0

    return milliseconds(draw)


if __name__ == "__main__":
    sys.stdout.write(f"{ {'ours': ours, 'tables2': tables2}[sys.argv[1]]() }")
