"""Imports that have not ended know their last line, are checked from the first one, and all work under way is due."""

from django.db import migrations

GO_ON = """
UPDATE numbers_import i
SET last_line = coalesce((SELECT max(line) FROM numbers_importrow WHERE of_id = i.id), 0),
    done = CASE state WHEN 'checking' THEN 0 ELSE done END,
    due_at = CASE state WHEN 'draft' THEN NULL ELSE now() END
WHERE state IN ('draft', 'checking', 'running');
UPDATE numbers_job SET due_at = now() WHERE state = 'running'
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0022_work_notes_how_far_and_when_due")]

    operations = [migrations.RunSQL(GO_ON, migrations.RunSQL.noop)]
