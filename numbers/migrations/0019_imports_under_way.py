"""Imports that are under way go on where they are; until here each line had a mark of its own."""

from django.db import migrations

GO_ON = """
UPDATE numbers_import i
SET added_to = coalesce(
        (SELECT max(line) FROM numbers_importrow
         WHERE of_id = i.id AND verdict = 'add' AND (applied OR plan #>> '{0,0}' <> 'add')), 0),
    changed_to = coalesce(
        (SELECT max(line) FROM numbers_importrow
         WHERE of_id = i.id AND verdict IN ('add', 'change', 'gone') AND applied AND plan <> '[]'), 0)
WHERE state = 'running';
-- What is left of a line's plan is done after the adding that it began with, which was taken off.
UPDATE numbers_importrow r SET plan = '[["add", {}]]' || r.plan
FROM numbers_import i
WHERE i.state = 'running' AND r.of_id = i.id AND r.verdict = 'add' AND r.plan <> '[]' AND r.plan #>> '{0,0}' <> 'add'
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0018_imports_note_how_far")]

    operations = [migrations.RunSQL(GO_ON, migrations.RunSQL.noop)]
