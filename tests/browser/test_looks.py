"""Every page at three widths, light and dark: nothing serious for axe, nothing wider than the window."""

from pathlib import Path

import pytest

from accounts.models import Person
from numbers.models import TelephoneSystem
from tests.browser.conftest import be_signed_in

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text
PATHS = {
    "system@demo.example": [
        "/SYS/", "/SYS/numbers/", "/SYS/numbers/?used_by=qqqq", "/SYS/numbers/?number=abc&sort=x",
        "/SYS/numbers/15145550100/", "/SYS/help/phone-numbers/", "/SYS/webphone/?number=abc", "/profile/",
        "/password/change/", "/V1001/numbers/", "/security/", "/security/app/", "/security/passkeys/add/",
        "/reauthenticate/?next=/security/", "/SYS/accounts/", "/SYS/accounts/?kind=company",
        "/SYS/accounts/V1001/", "/SYS/accounts/V1003/", "/SYS/accounts/V1003/invite/",
        "/SYS/accounts/C20001/", "/SYS/accounts/add/", "/SYS/accounts/V1001/close/",
        "/SYS/people/", "/SYS/people/invite/", "/SYS/people/1/",
        "/SYS/people/2/", "/SYS/grants/", "/SYS/grants/?agent=qqqq", "/SYS/grants/1/", "/SYS/grants/give/",
        "/SYS/numbers/as-of/",
    ],
    "support@demo.example": ["/SYS/"],
    "admin@acme.example": [
        "/C20001/destinations/", "/C20001/destinations/add/", "/C20001/destinations/1/",
        "/C20001/destinations/1/change/", "/C20001/destinations/1/delete/", "/C20001/people/?name=qqqq",
        "/C20001/numbers/15145550100/", "/C20001/numbers/15145550100/assign/", "/C20001/numbers/15145550100/options/",
        "/C20001/numbers/15145550100/release/", "/C20001/numbers/import/", "/C20001/history/?kind=others",
        "/C20001/numbers/order/", "/C20001/numbers/order/?area=%2B1&count=3", "/C20001/numbers/order/?area=514",
        "/C20001/numbers/order/?area=%2B1&count=99&in_a_row=on", "/C20001/orders/",
        "/C20001/numbers/order/ask/?country=US&count=2",
        "/C20001/webphone/calls/", "/C20001/webphone/telephones/",
    ],
    "var@alpha.example": [
        "/V1001/", "/V1001/numbers/?filter=reserved", "/V1001/accounts/", "/V1001/accounts/?filter=closed",
        "/V1001/accounts/C20001/", "/V1001/accounts/C20001/close/", "/V1001/settings/",
        "/V1001/accounts/add/?kind=professional",
        "/V1001/numbers/add/", "/V1001/numbers/import/", "/V1001/numbers/imports/", "/V1001/numbers/jobs/",
        "/V1001/numbers/compare/", "/V1001/numbers/released/",
        "/V1001/numbers/14165550100/", "/V1001/numbers/14165550100/assign/", "/V1001/numbers/14165550100/reserve/",
        "/V1001/numbers/in-a-row/", "/V1001/numbers/in-a-row/?first=514&length=9", "/V1001/numbers/as-of/?at=x",
        "/V1001/phone-systems/", "/V1001/phone-systems/add/", "/notices/", "/notices/?about=qqqq", "/notices/choose/",
        "/V1001/numbers/levels/", "/V1001/numbers/levels/add/",
        "/V1001/numbers/15145550100/?at=2026-01-01T00:00", "/V1001/numbers/15145550100/unassign/",
    ],
    "pro@jane.example": ["/P30001/", "/P30001/numbers/"],
    "user@acme.example": ["/C20001/", "/C20001/numbers/"],
}  # fmt: skip
STRANGERS = ["/login/", "/login/link/", "/login/link/?key=x", "/password/reset/"]
#: Who looks at their pages one after the other: about as many in each.
LOOKERS = [
    ("system@demo.example", "support@demo.example"),
    ("admin@acme.example", "user@acme.example", "pro@jane.example"),
    ("var@alpha.example",),
]
#: At which widths a page is looked at, in the light and then in the dark.
SCHEMES = {"light": (1440, 768, 390), "dark": (390, 1440)}
LAID_OUT_ALIKE = 768


#: In the dark, nothing but colours is different.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}


def serious(page, scheme="light"):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE(encoding="utf-8"))
    options = {"resultTypes": ["violations"]} | RULES[scheme]
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def faults(page, path):
    """What is wrong with a page: loaded once, it is made narrower, and dark, while somebody looks at it."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")  # colours on their way to others are neither
    page.set_viewport_size({"width": SCHEMES["light"][0], "height": 900})
    status = page.goto(path).status
    found = []
    for scheme, widths in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{wide} pixels wider than the window at {width}"] if wide > 0 else []
            # Between the widest and the narrowest nothing is shown that neither of them shows.
            found += serious(page, scheme) if width != LAID_OUT_ALIKE else []
    # The browser's own note of a page that is there to be refused; it comes when it comes.
    page.complaints[:] = [said for said in page.complaints if status < 400 or f"status of {status} " not in said]
    return found


def test_no_page_for_strangers_has_a_serious_fault(page):
    found = {path: faults(page, path) for path in STRANGERS}
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("people", LOOKERS, ids=lambda people: people[0])
def test_no_page_has_a_serious_fault(page, people):
    boss = Person.objects.select_related("account").get(email="var@alpha.example")
    system = TelephoneSystem.unscoped.create(account=boss.account, name="Asterisk", token_hash="x", added_by=boss)
    own = f"/V1001/phone-systems/{system.pk}/"
    more = {boss.email: [own, f"{own}change/"]}
    found = {}
    for email in people:
        page.context.clear_cookies()
        be_signed_in(page, email)
        found |= {path: faults(page, path) for path in [*PATHS[email], *more.get(email, [])]}
    assert {path: said for path, said in found.items() if said} == {}


def test_everybody_looks():
    assert {email for people in LOOKERS for email in people} == set(PATHS)


def test_the_dark_is_dark(page):
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto("/login/")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != light
