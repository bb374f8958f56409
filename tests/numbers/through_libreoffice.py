"""Exports that LibreOffice opened and saved come back and change nothing. ``make libreoffice-test`` runs this: it needs
LibreOffice, which takes as long to install as many other tests take together."""

import os
import subprocess

import pytest

from numbers.models import PhoneNumber
from tests import factories
from tests.numbers.test_imports import judged, send

pytestmark = pytest.mark.django_db
#: CSV with commas, quotes, in UTF-8: how LibreOffice is told to write it, and to read it. Its window proposes UTF-8 for
#: our files by their mark, but without a window it does not look at that.
CSV, READ_CSV = "csv:Text - txt - csv (StarCalc):44,34,76", "--infilter=CSV:44,34,76"


@pytest.fixture
def resaved(tmp_path):
    """Open a file in LibreOffice and save it as another kind."""

    def resave(content, ending, kind):
        source, out = tmp_path / f"export.{ending}", tmp_path / "saved"
        source.write_bytes(content)
        command = [
            os.environ["LIBREOFFICE"], f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
            *([READ_CSV] if ending == "csv" else []), "--convert-to", kind, "--outdir", str(out), str(source),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
        (saved,) = out.iterdir()
        return saved.read_bytes()

    return resave


@pytest.mark.parametrize("kind", [CSV, "xlsx", "ods"], ids=["csv", "xlsx", "ods"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_libreoffice_saved_changes_nothing_when_it_is_imported(of_alpha, alpha, resaved, form, kind):
    plus = factories.make_account("company", alpha, name="+Plus, Inc")
    others = factories.make_account("company", alpha, name="Émile & Søn; 株式会社")
    for at, (company, e164) in enumerate(
        ((plus, "+15145550100"), (others, "+442079460018"), (plus, "+4930123456"), (others, "+390612345678"),
         (plus, "+33142685300"), (None, "+61491570156"))
    ):  # fmt: skip
        rings = factories.make_destination(company, f"=Name {at}") if company else None
        factories.make_number(var=alpha, destination=rings, e164=e164, active=at % 2 == 0)
    export = of_alpha.get(f"/{alpha.code}/numbers/export.{form}").getvalue()
    found = judged(of_alpha, send(of_alpha, alpha, resaved(export, form, kind)))
    assert [verdict for _line, verdict, *_why in found] == ["No change"] * PhoneNumber.unscoped.count(), found
