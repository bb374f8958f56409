"""The entry point of the container: secrets from files, then ``manage.py`` with the same words.

A setting ``NAME_FILE`` names a file that has the value of ``NAME``, as secrets of containers are given.
"""

import os
import sys
from pathlib import Path

SUFFIX = "_FILE"

for name, path in list(os.environ.items()):
    if name.endswith(SUFFIX) and (setting := name.removesuffix(SUFFIX)) and setting not in os.environ:
        try:
            os.environ[setting] = Path(path).read_text().strip()
        except OSError as error:
            sys.exit(f"{name}={path}: {error.strerror}.")
os.execv(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]])  # noqa: S606 - our own program
