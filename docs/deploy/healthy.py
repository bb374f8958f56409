"""The health check of the container: whether the web server in it answers, under a name that it has."""

import os
import sys
from urllib.request import Request, urlopen

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".")
request = Request(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", headers={"Host": host})
try:
    with urlopen(request, timeout=4) as answer:  # noqa: S310 - our own address
        sys.exit(answer.status != 200)
except OSError as error:
    sys.exit(str(error))
