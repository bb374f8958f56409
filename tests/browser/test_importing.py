"""Files as other systems export them, from sending them to undoing the import; and lists as workbooks."""

import io
import os
from pathlib import Path

from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from numbers.models import ImportRow, PhoneNumber
from tests.browser.conftest import sign_in_at

#: Pictures of each step are kept here, for people to look at.
PICTURES = os.environ.get("PICTURES", "")
WIDTHS = (1440, 390)
#: Files with the columns of other systems; the last line of each has a number that cannot be one.
FILES = {
    "Telnyx": """
phone_number,status,customer_reference,tags,connection_name,phone_number_type,purchased_at
15145557301,active,Front desk,"sales,ca",Main trunk,local,2026-03-01T10:00:00Z
151455573,active,Broken,,Main trunk,local,2026-03-01T10:00:00Z
""",
    "Twilio": """
Sid,Phone Number,Friendly Name,Voice URL,Trunk Sid,Status,Date Created
PN0000000000000000000000000000a001,+15145557302,Front desk,https://pbx.example/voice,TK1,in-use,2026-03-01
PN0000000000000000000000000000a002,+1514,Broken,,,in-use,2026-03-01
""",
    "Bandwidth": """
FullNumber,City,State,RateCenter,Tier,Status,Site,SipPeer,InServiceDate
5145557303,MONTREAL,QC,MONTREAL,0,Inservice,Head office,Peer 1,2026-03-01
514555,MONTREAL,QC,MONTREAL,0,Inservice,Head office,Peer 1,2026-03-01
""",
    "DIDWW": """
number,description,blocked,terminated,awaiting_registration,capacity_limit,expires_at
442079460304,Front desk,false,false,false,2,2027-01-01
442079460317,Back office,false,false,false,2,2027-01-01
4420,Broken,false,false,false,2,2027-01-01
""",
    "voip.ms": """
did,description,note,routing,pop,cnam,e911,billing_type,next_billing
5145557305,Front desk,,account:100,47,1,0,1,2027-01-01
514,Broken,,account:100,47,1,0,1,2027-01-01
""",
    "Teams": """
TelephoneNumber,OperatorId,NumberType,ActivationState,AssignedPstnTargetId,City,IsoCountryCode
+442079460306,op-1,DirectRouting,Activated,ana@acme.example,London,GB
+4420,op-1,DirectRouting,Activated,,London,GB
""",
    "Zoom": """
Number,Assigned To,Extension,Number Type,Capability,Carrier,Site,Area,Status
+1 (514) 555-7307,Ana Costa,801,Toll,Incoming & Outgoing,Zoom,Head office,Quebec,Normal
+1 (514),,,Toll,Incoming & Outgoing,Zoom,Head office,Quebec,Normal
""",
    "RingCentral": """
Phone Number,Type,Assigned To,Ext,Country,Status
(514) 555-7308,DirectNumber,Ana Costa,101,Canada,Active
(514) 55,DirectNumber,,,Canada,Active
""",
    "FusionPBX": """
destination_type,destination_number,destination_prefix,destination_context,destination_enabled,destination_description
inbound,5145557309,1,public,true,Front desk
inbound,5145,1,public,true,Broken
""",
    "FreePBX": """
description,extension,cidnum,destination,privacyman,alertinfo
Front desk,15145557310,,"from-did-direct,100,1",0,
Broken,151455,,"from-did-direct,101,1",0,
""",
    "NetSapiens": """
Phone Number,Domain,Treatment,Destination,Notes,Enable
15145557311,acme.example,User,101,Front desk,yes
151455,acme.example,User,102,Broken,yes
""",
    "Kazoo": """
e164,account_name,account_id,state,created,used_by,carrier_module,cnam.inbound
+15145557312,acme,ab12,in_service,63800000000,callflow,knm_local,true
+151455,acme,ab12,in_service,63800000000,callflow,knm_local,true
""",
    "CUCM": """
Device Name,Description,Device Pool,Directory Number 1,Route Partition 1,Display 1
SEP001122334455,Front desk,Default,\\+15145557313,PT-Internal,Ana Costa
SEP001122334456,Broken,Default,\\+15145,PT-Internal,Ben Ito
""",
    "ASTPP": """
DID,Country,Account,Per Minute Cost(USD),Setup Fee(USD),Call Type,Destination,Status
15145557314,Canada,acme,0.01,0,Local,101,Active
151455,Canada,acme,0.01,0,Local,102,Active
""",
}
NUMBERS = {
    "+442079460304", "+442079460317", "+442079460306",
    *(f"+15145557{end}" for end in (301, 302, 303, 305, 307, 308, 309, 310, 311, 312, 313, 314)),
}  # fmt: skip


def looked_at(page, name):
    """The page is no wider than its window, whether that is a screen's or a telephone's."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{width}-{name}.png", full_page=True)


def test_files_of_other_systems_are_sent_checked_applied_and_undone(sign_in):
    page = sign_in("var@alpha.example")
    before = set(PhoneNumber.unscoped.values_list("e164", flat=True))
    for system, text in FILES.items():
        page.goto("/V1001/numbers/import/")
        page.get_by_label("File", exact=True).set_input_files(
            {"name": f"{system}.csv", "mimeType": "text/csv", "buffer": text.strip().encode()}
        )
        page.get_by_label("Country").select_option("CA")
        page.get_by_label("Provider of new numbers").select_option(index=1)
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("heading", name=f"{system}.csv")).to_be_visible()
        # The line that cannot be a number is shown first, with the reason.
        expect(page.locator("#rows tr")).to_have_count(1)
        expect(page.locator("#rows")).to_contain_text("Refused")
        # Under their headings, also where there is no number.
        assert page.locator("#rows tr > :visible").count() == page.locator("thead tr").first.locator("> *").count()
        looked_at(page, f"{system}-check")
        page.get_by_role("link", name="Columns", exact=True).click()
        columns = page.locator("table.columns select")
        expect(columns).to_have_count(len(text.strip().splitlines()[0].split(",")))
        assert columns.evaluate_all("all => all.map((one) => one.value)").count("number") == 1, system
        looked_at(page, f"{system}-columns")
        page.get_by_role("button", name="Check again").click()
        expect(page.locator("#rows tr")).to_have_count(1)
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".job-state")).to_contain_text("Done")
        looked_at(page, f"{system}-applied")
    assert set(PhoneNumber.unscoped.values_list("e164", flat=True)) - before == NUMBERS
    page.get_by_role("button", name="Undo").click()
    looked_at(page, "undo")
    page.locator("main").get_by_role("button", name="Delete").click()
    expect(page.locator(".job-state")).to_contain_text("Done")
    left = set(PhoneNumber.unscoped.values_list("e164", flat=True)) - before
    assert left == NUMBERS - {"+15145557314"}
    assert ImportRow.unscoped.filter(verdict="refused").count() == len(FILES)


def test_a_list_is_saved_as_a_workbook_from_the_window_of_csv(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/?filter=available")
    page.get_by_role("button", name="CSV", exact=True).click()
    assert page.get_by_label("File name").input_value() == "PhoneNumbers.csv"
    page.get_by_label("Format").select_option(label="Workbook (XLSX), for Excel and LibreOffice")
    assert page.get_by_label("File name").input_value() == "PhoneNumbers.xlsx"
    looked_at(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "PhoneNumbers.xlsx"
    content = download.value.path().read_bytes()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    stock = PhoneNumber.unscoped.filter(var__code="V1001", customer=None)
    assert {row[0] for row in rows[1:]} == set(stock.values_list("e164", flat=True))
    page.get_by_role("button", name="CSV", exact=True).click()
    page.get_by_label("Format").select_option("semicolon")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "PhoneNumbers.csv"
    assert download.value.path().read_text(encoding="utf-8-sig").startswith("Number;Used by;")


def test_a_workbook_is_found_under_its_name(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/?filter=available")
    page.get_by_role("button", name="Excel", exact=True).click()
    assert page.get_by_label("File name").input_value() == "PhoneNumbers.xlsx"
    expect(page.get_by_label("Also label, caller name and features")).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(download.value.path().read_bytes())).get_sheet_by_index(0)
    assert rows.to_python()[0][-5:] == ["Label", "Caller name", "Voice", "SMS", "Fax"]
    page.get_by_role("button", name="CSV", exact=True).click()
    assert page.get_by_label("File name").input_value() == "PhoneNumbers.csv"
    page.get_by_label("Also label, caller name and features").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.path().read_text(encoding="utf-8-sig").splitlines()[0].endswith(",Status")


def test_a_browser_that_writes_fractions_with_a_comma_is_offered_semicolons(chromium, demo, live_server):
    context = chromium.new_context(base_url=live_server.url, locale="de-DE")
    page = sign_in_at(context.new_page(), "var@alpha.example")
    page.goto("/V1001/numbers/")
    page.get_by_role("button", name="CSV", exact=True).click()
    assert page.get_by_label("Format").input_value() == "semicolon"
    context.close()
