"""Countries as files name them."""

import pytest

from portal import countries


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("GB", ("GB", "")), ("gb", ("GB", "")), ("GBR", ("GB", "")), ("UK", ("GB", "")), ("England", ("GB", "")),
        ("United Kingdom", ("GB", "")), ("Royaume-Uni", ("GB", "")), ("GB (+44)", ("GB", "")),
        ("Canada +1", ("CA", "")),
        ("Suisse", ("CH", "")), ("Schweiz", ("CH", "")), ("Svizzera", ("CH", "")), ("Deutschland", ("DE", "")),
        ("México", ("MX", "")), ("mexico", ("MX", "")), ("Brasil", ("BR", "")), ("USA", ("US", "")),
        ("+44", ("", "44")), ("44", ("", "44")), ("0044", ("", "44")), ("011 44", ("", "44")), ("(44)", ("", "44")),
        ("44.0", ("", "44")), ("1", ("", "1")), ("XX", None), ("Atlantis", None), ("999", None), ("0", None),
        ("Atlantis +44", None), ("+", None),
    ],
)  # fmt: skip
def test_a_country_is_understood_by_name_and_code(text, meant):
    assert countries.understood(text) == meant
