"""Names are searched without apostrophes and hyphens: with either apostrophe, and with none, a name is one."""

from django.db import migrations

FOLD = """
CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(replace(replace(translate(
    regexp_replace(normalize(lower($1), NFKD), '[\u0300-\u036f]', '', 'g'), 'łøđħıŧ''’‘ʼ`´‐‑-', 'lodhit'
), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')
"""
BEFORE = FOLD.replace("''’‘ʼ`´‐‑-", "")
# Writing a name computes what is folded of it anew.
AGAIN = "UPDATE accounts_account SET name = name WHERE name ~ '[''’‘ʼ`´‐‑-]'"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_home_country")]

    operations = [
        migrations.RunSQL(FOLD, BEFORE),
        migrations.RunSQL(AGAIN, AGAIN),
    ]
