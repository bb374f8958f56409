"""Every list, with the longest texts that its rows can hold, in windows from 320 to 2560 pixels: nothing breaks.

A browser at 400 % zoom shows a window of 1280 pixels as one of 320, so the widths stand for the zoom as well.
"""

import re

import pytest
from django.conf import settings

from accounts.models import Account, AuditEvent, Person
from numbers.models import (
    Destination,
    Import,
    ImportRow,
    Job,
    JobItem,
    Order,
    OrderLine,
    Provider,
    Release,
    TelephoneSystem,
)  # fmt: skip
from portal.room import extent, needed, too_narrow
from tests.access.addresses import LISTS
from tests.access.identities import IDENTITIES
from tests.access.world import World
from tests.factories import make_number
from tests.queue import empty_queue

WIDTHS = (320, 360, 390, 480, 600, 768, 834, 992, 1024, 1100, 1280, 1440, 1920, 2560)
READERS = ("system administrator", "var administrator", "company administrator")
#: Words as people have them. On a phone, one of more than 26 letters may go on in a second line.
WORDS = [
    "Straßenbahnbetriebsgesellschaft", "Sankt-Bartholomäus", "TELECOMMUNICATIONS", "Wojciechowska-Brzęczyszczykiewicz",
    "Llanfairpwllgwyngyll", "WWWMMM", "株式会社日本電信電話", "Ελληνικές", "Muttathupandalparambil", "of",
    "O’Shaughnessy", "&", "Co.",
]  # fmt: skip


def long_text(most: int, turn: int = 0) -> str:
    """Whole words of at most ``most`` characters, other ones for another ``turn``."""
    text = ""
    for place in range(most):
        word = WORDS[(place * 5 + turn) % len(WORDS)]
        if len(text) + 1 + len(word) > most:
            break
        text = f"{text} {word}".strip()
    return text


#: model -> its texts
TEXTS = {
    Account: ("name", "contact"), Destination: ("name",), Person: ("name",), Provider: ("name",),
    TelephoneSystem: ("name",), Job: ("chosen",), JobItem: ("sentence",), Import: ("file_name",),
    ImportRow: ("reason", "column"), Order: ("reason", "wish", "note"), OrderLine: ("reason",), Release: ("reason",),
}  # fmt: skip


@pytest.fixture
def world(static_files_as_built, transactional_db):
    """The accounts, people and rows of the access tests, with texts as long as their columns take."""
    empty_queue()
    world = World()
    events = []
    for account in Account.unscoped.all():
        said = {"before": {"name": long_text(60)}, "after": {"name": long_text(110, 3), "cooling_days": 1_234_567}}
        boss = world.people["A", "var", "administrator", 1]
        facts = {"account": account, "person": boss, "chain": [account.pk], "target_type": "account", **said}
        events.append(AuditEvent(verb="account.changed", target_id=account.pk, target=long_text(120, 2), **facts))
    AuditEvent.unscoped.bulk_create(events)
    for turn in range(12):
        make_number(var=world.a.var, customer=world.a.company, e164=f"+4930{10**9 + turn}", provider=world.provider)
    for model, names in TEXTS.items():
        manager = getattr(model, "unscoped", model._base_manager)
        for turn, pk in enumerate(manager.order_by("pk").values_list("pk", flat=True)):
            texts = {name: long_text(min(model._meta.get_field(name).max_length, 240) - 8, turn) for name in names}
            if "name" in texts:
                texts["name"] += f" {turn}"
            manager.filter(pk=pk).update(**texts)
    Account.unscoped.exclude(kind="system").update(number_quota=12_345_678)
    for turn, pk in enumerate(Person.objects.values_list("pk", flat=True)):
        address = f"wojciechowska-brzeczyszczykiewicz.{turn}@telekommunikationsgesellschaft-sankt-bartholomaeus.example"
        Person.objects.filter(pk=pk).update(email=address)
    return world


#: What is wrong with the list in the window as it is: words in two lines, cells over one another, rows without end.
FAULTS = """
() => {
  const faults = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push(`${wide} pixels wider than the window`);
  const table = document.querySelector("table.rows");
  const isTable = getComputedStyle(table).display === "table";
  const range = document.createRange();
  const visible = (element) => element.checkVisibility() && getComputedStyle(element).position !== "absolute"
    && !element.closest(".visually-hidden");
  const walker = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.textContent.trim() || !visible(node.parentElement)) continue;
    // A phone number is one word.
    const words = node.parentElement.closest(".number") ? /[^\\n]+/g : /\\S+/g;
    for (const { 0: word, index } of node.textContent.matchAll(words)) {
      if (word.length > (innerWidth < 400 ? 26 : 34)) continue;
      range.setStart(node, index);
      range.setEnd(node, index + word.trimEnd().length);
      const boxes = [...range.getClientRects()].filter((box) => box.width > 0.5);
      const lines = new Set(boxes.map((box) => Math.round(box.top)));
      // Names with a hyphen may go on after it.
      const breaks = word.match(/[-–/\\u3040-\\u9fff]/g) ?? [];
      if (lines.size > 1 + breaks.length) faults.push(`broken: ${word}`);
      const cell = node.parentElement.closest("td, th").getBoundingClientRect();
      for (const box of boxes) {
        if (box.left < cell.left - 1 || box.right > cell.right + 1) faults.push(`beside its cell: ${word}`);
      }
    }
  }
  for (const row of table.querySelectorAll("tbody tr")) {
    const cells = [...row.children].filter((cell) => cell.getClientRects().length);
    const boxes = cells.map((cell) => cell.getBoundingClientRect());
    boxes.forEach((one, at) => {
      for (const other of boxes.slice(at + 1)) {
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (across > 1 && down > 1) faults.push("cells over one another");
      }
    });
    // As high as its texts on lines half full, and one line for each of its values.
    const letters = row.innerText.length;
    const most = isTable ? 12 * 20 : 60 + 24 * cells.length + 24 * Math.ceil((2 * 8.5 * letters) / row.clientWidth);
    if (row.offsetHeight > most) faults.push(`${row.offsetHeight} pixels high, not ${Math.round(most)}`);
    if (!isTable) {
      for (const cell of cells) {
        const isValue = cell.matches("td:not(:first-child, .row-act)");
        if (isValue && !cell.dataset.heading) faults.push("a value without its name");
      }
    }
  }
  const tools = document.getElementById("list-tools");
  const over = Math.max(tools.scrollHeight - tools.clientHeight, tools.scrollWidth - tools.clientWidth);
  if (over > 1) faults.push(`the tools are ${over} pixels larger than their bar`);
  return [...new Set(faults)].slice(0, 12);
}
"""


def test_a_table_of_short_texts_needs_little_and_one_of_long_words_much():
    headings = {"name": "Name", "count": "Count"}
    short = needed(headings, [{"name": "Ann", "count": "1"}], {})
    long = needed(headings, [{"name": long_text(240), "count": "1"}, {"name": "Ann", "count": "1,234"}], {})
    assert short < long
    # Never more than the longest word and a third of the text; the rest is lines.
    assert long < 60


def test_a_phone_number_is_one_word():
    word, whole = extent("+1 514-555-0100")
    assert word == whole > extent("514-555-0100")[0]


def test_cards_begin_where_the_frame_leaves_too_little_room():
    assert too_narrow(40) == (
        "screen and (width < 768px) and (width < 43rem), "
        "screen and (width >= 768px) and (width < 992px) and (width < 44rem), "
        "screen and (width >= 992px) and (width < 1200px) and (width < 55rem), "
        "screen and (width >= 1200px) and (width < 58rem)"
    )


@pytest.mark.parametrize("name", READERS)
def test_no_list_breaks_at_any_width(chromium, world, live_server, name):
    seat = world.seat(IDENTITIES[name])
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": seat.client.cookies[settings.SESSION_COOKIE_NAME].value}
    context.add_cookies([cookie | {"url": live_server.url, "httpOnly": True}])
    page = context.new_page()
    found, seen = {}, []
    for address in LISTS:
        if page.goto(address.path(world, seat.account, seat.person)).status != 200:
            continue
        seen.append(address.name)
        for kind in range(max(page.locator(".tabs a").count(), 1)):
            if kind:
                page.locator(".tabs a").nth(kind).click()
                page.wait_for_load_state()
            # And the narrowest windows in which it is a table, if they are no wider than the frame's own steps.
            steps = {16 * int(rem) for rem in re.findall(r"(\d+)rem", page.get_attribute("#list", "data-cards"))}
            for width in (*WIDTHS, *(step for step in sorted(steps) if step < WIDTHS[-1])):
                page.set_viewport_size({"width": width, "height": 900})
                if faults := page.evaluate(FAULTS):
                    found[f"{address.name} {kind}: {width}"] = faults
    context.close()
    assert len(seen) > 5
    assert "\n".join(f"{place}: {faults}" for place, faults in found.items()) == ""
