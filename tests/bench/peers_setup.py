"""Make the peers' tables and their superuser in the database of ``MIGRATION_DATABASE_URL``."""

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from tests.bench import peers

call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    for model in (peers.Provider, peers.Var, peers.Customer, peers.Assignee, peers.Number):
        editor.create_model(model)
get_user_model().objects.create_superuser("admin", "admin@demo.example", None)
