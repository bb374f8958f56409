"""Names of providers, destinations and phone systems are folded without apostrophes and hyphens, as accounts are."""

from django.db import migrations

AGAIN = [
    "UPDATE numbers_provider SET name = name WHERE name ~ '[''’‘ʼ`´‐‑-]'",
    "UPDATE numbers_destination SET name = name WHERE name ~ '[''’‘ʼ`´‐‑-]'",
    "UPDATE numbers_telephonesystem SET name = name WHERE name ~ '[''’‘ʼ`´‐‑-]'",
]


class Migration(migrations.Migration):
    dependencies = [("numbers", "0026_import_steps"), ("accounts", "0013_fold_apostrophes")]

    operations = [migrations.RunSQL(statement, statement) for statement in AGAIN]
