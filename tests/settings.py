"""The portal's settings, with tests that own the tables and requests that do not."""

import os

from portal.settings import *  # noqa: F403
from portal.settings import DATABASES, MIDDLEWARE, OWNER_SIGN_IN, PASSWORD_HASHERS

# Rows for a test are written by the owner of the tables, in the connection that the test's requests use too.
DATABASES["default"] |= {part: OWNER_SIGN_IN[part] for part in ("USER", "PASSWORD", "HOST", "PORT")}
MIDDLEWARE = ["tests.rights.AsInProduction", *MIDDLEWARE]
# A database that is there already, for a run on a copy of one (tests/mutants).
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TESTS_DATABASE", f"test_portal_{os.environ['TESTS_RUN']}")}
# Tests that start servers have static files collected meanwhile: nobody looks through them before one is asked for.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["tests.hashers.Hasty", *PASSWORD_HASHERS[1:]]
