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
        "/V1001/phone-systems/", "/V1001/phone-systems/add/",
        "/V1001/numbers/15145550100/?at=2026-01-01T00:00", "/V1001/numbers/15145550100/unassign/",
    ],
    "pro@jane.example": ["/P30001/", "/P30001/numbers/"],
    "user@acme.example": ["/C20001/", "/C20001/numbers/"],
}  # fmt: skip
WIDTHS = (1440, 768, 390)
STRANGERS = ["/login/", "/password/reset/"]


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


def faults(page, path, scheme, widths):
    """What is wrong with a page: loaded once, it is made narrower while somebody looks at it."""
    page.set_viewport_size({"width": widths[0], "height": 900})
    status = page.goto(path).status
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{wide} pixels wider than the window at {width}"] if wide > 0 else []
        # Between the widest and the narrowest nothing is shown that neither of them shows.
        found += serious(page, scheme) if width in (widths[0], widths[-1]) else []
    # The browser's own note of a page that is there to be refused; it comes when it comes.
    page.complaints[:] = [said for said in page.complaints if status < 400 or f"status of {status} " not in said]
    return found


@pytest.mark.parametrize(("scheme", "widths"), [("light", WIDTHS), ("dark", WIDTHS[::2])], ids=["light", "dark"])
def test_no_page_has_a_serious_fault(page, scheme, widths):
    # Colours on their way from one to another are neither.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {path: faults(page, path, scheme, widths) for path in STRANGERS}
    boss = Person.objects.select_related("account").get(email="var@alpha.example")
    system = TelephoneSystem.unscoped.create(account=boss.account, name="Asterisk", token_hash="x", added_by=boss)
    more = {boss.email: [f"/V1001/phone-systems/{system.pk}/"]}
    for email, paths in PATHS.items():
        page.context.clear_cookies()
        be_signed_in(page, email)
        found |= {path: faults(page, path, scheme, widths) for path in [*paths, *more.get(email, [])]}
    assert {path: said for path, said in found.items() if said} == {}
