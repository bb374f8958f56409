"""What a page costs outside the database, beside what django-tables2 alone takes to draw the same rows.

python -m tests.bench.render ours|tables2 prints the milliseconds of one: settings are one to a process.
"""

import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg.rows import dict_row

from tests.bench import data, web
from tests.bench.result import Result, times

ROUNDS = 100
WARM_UP = 20
TURNS = 3
PATH = "/SYS/numbers/"
ROWS = """
SELECT n.id, n.e164, d.name AS used_by, c.id AS company_id, c.name AS company, v.id AS var_id, v.name AS var,
       initcap(d.kind) AS "use", p.name AS provider, CASE WHEN n.first_call_at IS NULL THEN 'Pending' ELSE 'Active' END
       AS status
FROM numbers_phonenumber n LEFT JOIN numbers_destination d ON d.id = n.destination_id
LEFT JOIN accounts_account c ON c.id = n.customer_id
JOIN accounts_account v ON v.id = n.var_id JOIN numbers_provider p ON p.id = n.provider_id
ORDER BY n.digits LIMIT 50
"""


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    with psycopg.connect(ours, row_factory=dict_row) as connection:
        rows = json.dumps(connection.execute(ROWS).fetchall())
    more = {"BENCH_COOKIE": web.administrator(ours, "SYS"), "BENCH_ROWS": rows}
    ours_more = more | {"DJANGO_SETTINGS_MODULE": web.SETTINGS}
    mine, table = [], []
    for _turn in range(TURNS):
        mine.append(float(data.run(["-m", "tests.bench.render", "ours"], ours, ours_more)))
        table.append(float(data.run(["-m", "tests.bench.render", "tables2"], peers, more)))
    yield times("page outside the database, tables2's table", statistics.median(mine), statistics.median(table), 8)


def milliseconds(act: Callable[[], None]) -> float:
    """The median CPU milliseconds of this process in ``act``; waiting for the database is none."""
    taken = []
    for _turn in range(WARM_UP + ROUNDS):
        start = time.process_time()
        act()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken[WARM_UP:])


def ours(rows: list[dict]) -> float:
    """Whole requests through the WSGI application."""
    from portal.wsgi import application  # noqa: PLC0415 - only where the portal's settings are

    def request() -> bytes:
        status = []
        asked = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": PATH, "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_COOKIE": web.cookies(os.environ["BENCH_COOKIE"]),
            "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
        }  # fmt: skip
        response = application(asked, lambda line, headers, info=None: status.append(line))
        body = b"".join(response)
        response.close()
        if not status[0].startswith("200"):
            raise RuntimeError(f"{PATH} answered {status[0]}")
        return body

    body = request().decode()
    if body.count('name="selected"') != len(rows) or any(row["e164"].lstrip("+") not in body for row in rows):
        raise RuntimeError("our page has other rows than the table that it is measured beside")
    return milliseconds(request)


def tables2(rows: list[dict]) -> float:
    """The peers' table of the same texts: tick box, links and all, from dictionaries."""
    from django.template import engines  # noqa: PLC0415
    from django.test import RequestFactory  # noqa: PLC0415

    from tests.bench import peers  # noqa: PLC0415 - it configures Django

    class Row(dict):
        """The peers' columns ask for links by attribute."""

        __getattr__ = dict.__getitem__

    texts = [
        Row(
            pk=row["id"],
            e164=row["e164"],
            customer_id=row["company_id"],
            var_id=row["var_id"],
            assignee=row["used_by"] and {"name": row["used_by"], "get_kind_display": row["use"]},
            customer=row["company"] and {"name": row["company"]},
            var={"name": row["var"]},
            provider={"name": row["provider"]},
            status=row["status"],
        )
        for row in rows
    ]
    page = engines["django"].from_string("{% load django_tables2 %}{% render_table table %}")
    request = RequestFactory().get("/plain/")

    def draw() -> str:
        return page.render({"table": peers.NumberTable(texts)}, request)

    drawn = draw()
    if drawn.count('type="checkbox"') < len(rows) or any(row["e164"] not in drawn for row in rows):
        raise RuntimeError("the table does not show the rows")
    return milliseconds(draw)


if __name__ == "__main__":
    parties = {"ours": ours, "tables2": tables2}
    sys.stdout.write(str(parties[sys.argv[1]](json.loads(os.environ["BENCH_ROWS"]))))
