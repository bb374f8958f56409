"""How the reports of phone systems are read, and what the signatures of webhooks are checked with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0029_what_jobs_have_changed"),
    ]

    operations = [
        migrations.AddField(
            model_name="telephonesystem",
            name="auth_token",
            field=models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="auth token"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="contexts",
            field=models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="contexts"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="country",
            field=models.CharField(blank=True, db_default="", default="", max_length=2, verbose_name="country"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="format",
            field=models.CharField(
                blank=True,
                choices=[
                    ("portal", "JSON of this portal"),
                    ("json_cdr", "FreeSWITCH mod_json_cdr"),
                    ("xml_cdr", "FreeSWITCH mod_xml_cdr"),
                    ("cdr", "Asterisk CDR (CSV)"),
                    ("cel", "Asterisk CEL (CSV)"),
                    ("acc", "Kamailio acc (JSON or CSV)"),
                    ("cucm", "Cisco CUCM CDR files"),
                    ("telnyx", "Telnyx call webhooks"),
                    ("twilio", "Twilio call webhooks"),
                    ("csv", "CSV with a heading line"),
                ],
                db_default="",
                default="",
                max_length=8,
                verbose_name="format",
            ),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="id_column",
            field=models.CharField(db_default="id", default="id", max_length=80, verbose_name="column of the id"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="number_column",
            field=models.CharField(
                db_default="number", default="number", max_length=80, verbose_name="column of the number"
            ),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="public_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="public key"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="time_column",
            field=models.CharField(db_default="time", default="time", max_length=80, verbose_name="column of the time"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=60, verbose_name="time zone"),
        ),
        migrations.AddField(
            model_name="telephonesystem",
            name="without_plus",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Read them if only one number can be meant"),
                    ("code", "They begin with the country code"),
                    ("country", "They are national numbers of the country"),
                ],
                db_default="",
                default="",
                max_length=7,
                verbose_name="numbers without +",
            ),
        ),
    ]
