"""Accounts and people, the function that folds text, the shared cache."""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.manager
from django.db import migrations, models

import accounts.models

# Lower case, without accents, in compatibility form; the few Latin letters that Unicode does not take apart by hand.
# Immutable and of built-in functions alone, so that it can stand in generated columns and their indexes.
FOLD = r"""
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(replace(replace(translate(
    regexp_replace(normalize(lower($1), NFKD), '[\u0300-\u036f]', '', 'g'), 'łøđħıŧ', 'lodhit'
), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')
"""
# Django's shared cache (limits on guessing live there), the table that createcachetable would make.
CACHE = """
CREATE TABLE portal_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX portal_cache_expires ON portal_cache (expires);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION fold(text)"),
        migrations.RunSQL(CACHE, "DROP TABLE portal_cache"),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=12, unique=True, verbose_name="code")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("system", "System"),
                            ("var", "VAR"),
                            ("company", "Company"),
                            ("professional", "Professional"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("trial", "Free trial"),
                            ("production", "Production"),
                            ("suspended", "Suspended"),
                            ("closed", "Closed"),
                        ],
                        default="production",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("name_folded", accounts.models.FoldedField()),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="parent account",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "role",
                    models.CharField(
                        choices=[("administrator", "Administrator"), ("support", "Support agent"), ("user", "User")],
                        default="user",
                        max_length=15,
                        verbose_name="role",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("time_zone", models.CharField(default="UTC", max_length=60, verbose_name="time zone")),
                (
                    "number_format",
                    models.CharField(
                        choices=[
                            ("international", "International: +1 514-555-0123"),
                            ("national", "National: (514) 555-0123"),
                        ],
                        default="international",
                        max_length=13,
                        verbose_name="number format",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                models.F("kind"), models.F("name_folded"), models.F("id"), name="accounts_account_by_kind_name"
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                models.F("name_folded"),
                models.F("id"),
                condition=models.Q(("kind__in", ["company", "professional"])),
                name="accounts_account_customers",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                models.F("parent"), models.F("name_folded"), models.F("id"), name="accounts_account_by_parent"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "system"), ("parent", None)),
                    models.Q(models.Q(("kind", "system"), _negated=True), ("parent__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_account_only_the_system_has_no_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                models.F("kind"), condition=models.Q(("kind", "system")), name="accounts_account_one_system"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^(SYS|V[0-9]{4,}|C[0-9]{5,}|P[0-9]{5,})$")),
                name="accounts_account_code_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(models.F("id"), models.F("parent"), name="accounts_account_id_parent"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(models.F("account"), models.F("name"), name="accounts_person_by_account"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="accounts_person_email"
            ),
        ),
    ]
