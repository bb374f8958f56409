"""Criteria of WCAG 2.2 AA that axe cannot see by itself, measured on the pages that people use most."""

import pytest

from tests.browser.conftest import be_signed_in
from tests.browser.test_looks import AXE

PAGES = [
    ("var@alpha.example", "/V1001/numbers/"),
    ("var@alpha.example", "/V1001/numbers/15145550100/"),
    ("var@alpha.example", "/V1001/numbers/import/"),
    ("admin@acme.example", "/C20001/"),
    ("admin@acme.example", "/C20001/numbers/order/?area=%2B1&count=3"),
    ("system@demo.example", "/SYS/accounts/"),
]
ids = [path for _email, path in PAGES]

#: Success criterion 2.5.8: 24 by 24 pixels, or so far from others that a circle of 24 around each meets none of them.
#: Links within a sentence are excepted, and what the browser draws itself.
SMALL_TARGETS = """() => {
  const seen = [...document.querySelectorAll("a[href], button, input, select, summary, [role=option]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .map((one) => ({ one, box: (one.closest("label") ?? one).getBoundingClientRect() }))
    .filter(({ box }) => box.width > 1 && box.height > 1);
  const middle = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
  const isInText = (one) => one.matches("p a, li a, dd a") && getComputedStyle(one).display === "inline";
  const isSmall = ({ box }) => box.width < 24 || box.height < 24;
  const isWithin = (one, other) => one.contains(other) || other.contains(one);
  const apart = (point, box) => Math.hypot(
    Math.max(box.x - point[0], 0, point[0] - box.right), Math.max(box.y - point[1], 0, point[1] - box.bottom));
  return seen.filter((target) => isSmall(target) && !isInText(target.one)).filter((target) =>
    seen.some((other) => !isWithin(other.one, target.one) &&
      (isSmall(other)
        ? Math.hypot(middle(other.box)[0] - middle(target.box)[0], middle(other.box)[1] - middle(target.box)[1]) < 24
        : apart(middle(target.box), other.box) < 12)))
    .map(({ one, box }) => `${one.outerHTML.slice(0, 80)} ${Math.round(box.width)}x${Math.round(box.height)}`);
}"""
#: Success criterion 1.4.12.
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""
SPACED = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}"""
CUT = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, select, option, svg, tbody, thead"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .filter((one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowX))
  .map((one) => one.outerHTML.slice(0, 80))"""
#: Success criterion 2.4.11: what has the focus is at least partly in sight, below nothing that sticks.
COVERED = """() => {
  const box = document.activeElement.getBoundingClientRect();
  const points = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]].map(([x, y]) => [box.x + box.width * x, box.y + box.height * y]);
  return !points.some(([x, y]) => {
    const top = document.elementFromPoint(x, y);
    return top && (document.activeElement.contains(top) || top.contains(document.activeElement));
  });
}"""


@pytest.fixture
def at(page):
    def go(email, path):
        be_signed_in(page, email)
        page.emulate_media(reduced_motion="reduce")
        page.goto(path)
        return page

    return go


@pytest.mark.parametrize(("email", "path"), PAGES, ids=ids)
def test_what_is_pressed_is_large_enough_or_stands_apart(at, email, path):
    page = at(email, path)
    small = {}
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        small |= {f"{one} at {width}": width for one in page.evaluate(SMALL_TARGETS)}
    assert list(small) == []


@pytest.mark.parametrize(("email", "path"), PAGES, ids=ids)
def test_wider_spacing_of_text_cuts_nothing(at, email, path):
    page = at(email, path)
    # A page may say this by its own style sheets only; a reader's extension is not bound by that.
    page.evaluate(SPACED, SPACING)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_what_has_the_focus_is_not_covered(at):
    page = at("var@alpha.example", "/V1001/numbers/")
    for key in ["Tab"] * 60 + ["Shift+Tab"] * 60:
        page.keyboard.press(key)
        if page.evaluate("document.activeElement === document.body"):
            continue
        assert not page.evaluate(COVERED), page.evaluate("document.activeElement.outerHTML.slice(0, 120)")


def test_names_hold_the_words_that_are_seen(at):
    for email, path in PAGES:
        page = at(email, path)
        page.evaluate(AXE(encoding="utf-8"))
        options = {
            "runOnly": ["label-content-name-mismatch"],
            "rules": {"label-content-name-mismatch": {"enabled": True}},
        }
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        assert [node["html"][:120] for one in found for node in one["nodes"]] == [], path
