"""Notices, and the channels that people have chosen for them."""

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_fold_apostrophes"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="channels",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=30, verbose_name="about")),
                ("key", models.CharField(max_length=100)),
                ("facts", models.JSONField(default=dict)),
                ("count", models.IntegerField(default=1)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                ("on_page", models.BooleanField(default=True)),
                ("read_at", models.DateTimeField(null=True, verbose_name="read")),
                (
                    "mail",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not mailed"),
                            ("once", "To be mailed at once"),
                            ("daily", "In the next summary"),
                            ("sent", "Mailed, or not wanted any more"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notice",
                "indexes": [
                    models.Index(
                        models.F("person"),
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="accounts_notice_of_person",
                    ),
                    models.Index(
                        models.F("person"),
                        condition=models.Q(("on_page", True), ("read_at", None)),
                        name="accounts_notice_unread",
                    ),
                    models.Index(models.F("at"), name="accounts_notice_by_age"),
                    models.Index(
                        models.F("person"),
                        models.F("at"),
                        condition=models.Q(("mail__in", ["once", "daily"])),
                        name="accounts_notice_to_mail",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("person"), models.F("key"), name="accounts_notice_once")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
