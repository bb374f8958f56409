"""Working in other accounts, what support agents were granted, the history of changes; details of accounts."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# History is written once. What an application may not do by its grants, the owner of the table may not do by mistake.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'history cannot be changed' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER accounts_auditevent_no_change BEFORE UPDATE OR DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_auditevent_no_truncate BEFORE TRUNCATE ON accounts_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_accounts_and_people"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "permissions": [("manage_account", "Can work in the account as its administrator")],
                "verbose_name": "account",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="asks_consent",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Our operator's and reseller's staff may work in this account only after we have agreed.",
                verbose_name="consent required",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="contact",
            field=models.CharField(blank=True, db_default="", default="", max_length=120, verbose_name="contact"),
        ),
        migrations.AddField(
            model_name="account",
            name="cooling_days",
            field=models.PositiveSmallIntegerField(
                db_default=30,
                default=30,
                help_text="How many days a returned number waits before it can be assigned "
                "to somebody else; 0 for none.",
                verbose_name="cooling days",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="email",
            field=models.EmailField(blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"),
        ),
        migrations.AddField(
            model_name="account",
            name="number_quota",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="The most numbers it may hold. Leave empty for no limit.",
                null=True,
                verbose_name="number quota",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="phone",
            field=models.CharField(blank=True, db_default="", default="", max_length=16, verbose_name="phone"),
        ),
        migrations.AddField(
            model_name="person",
            name="invited_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="invited"),
        ),
        migrations.CreateModel(
            name="Access",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sign_in", models.CharField(editable=False, max_length=32)),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("manages", models.BooleanField(verbose_name="may change")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("entered_from", models.CharField(blank=True, max_length=2000)),
                ("asked_at", models.DateTimeField(null=True, verbose_name="asked")),
                ("consented_at", models.DateTimeField(null=True, verbose_name="agreed")),
                ("started_at", models.DateTimeField(null=True, verbose_name="entered")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="last seen")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="ends")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "ended_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("left", "Left"),
                            ("expired", "Time was up"),
                            ("idle", "Nothing done for a while"),
                            ("signed_out", "Signed out"),
                            ("credentials", "Password or second factor changed"),
                            ("not_allowed", "No longer allowed"),
                            ("refused", "Refused by the account"),
                            ("again", "Entered again"),
                        ],
                        max_length=12,
                        verbose_name="why it ended",
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
                (
                    "consented_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "access",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("verb", models.CharField(max_length=40, verbose_name="what")),
                ("target_type", models.CharField(max_length=20)),
                ("target_id", models.BigIntegerField(null=True)),
                ("target", models.CharField(max_length=130, verbose_name="of")),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("request_id", models.CharField(blank=True, max_length=32)),
                (
                    "access",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.access"
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
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                (
                    "content_object",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="accounts.account"),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "grant",
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="access",
            index=models.Index(
                models.F("account"), models.OrderBy(models.F("id"), descending=True), name="accounts_access_of_account"
            ),
        ),
        migrations.AddIndex(
            model_name="access",
            index=models.Index(
                models.F("person"),
                models.F("sign_in"),
                condition=models.Q(("ended_at", None)),
                name="accounts_access_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="access",
            constraint=models.UniqueConstraint(
                models.F("person"),
                models.F("account"),
                models.F("sign_in"),
                condition=models.Q(("ended_at", None), ("started_at__isnull", False)),
                name="accounts_access_one_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="access",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at", None), ("started_at", None)),
                    models.Q(("expires_at__isnull", False), ("started_at__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_access_started_expires",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                models.F("account"),
                models.OrderBy(models.F("at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="accounts_auditevent_account",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                models.F("target_type"),
                models.F("target_id"),
                models.OrderBy(models.F("id"), descending=True),
                name="accounts_auditevent_target",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                models.F("access"), condition=models.Q(("access__isnull", False)), name="accounts_auditevent_access"
            ),
        ),
        migrations.AlterUniqueTogether(
            name="grant",
            unique_together={("user", "permission", "content_object")},
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION refuse_change() CASCADE"),
    ]
