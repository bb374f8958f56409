"""``manage.py phone``: the demo, with a telephone stack of its own: SIP server, media relay, call-back service, a
telephone and a carrier that do not exist. Calls can be heard."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from accounts.actor import Actor
from accounts.models import Account, Person
from accounts.scope import scope
from numbers.actions.calls import add_system, revoke_system
from numbers.models import TelephoneSystem
from portal.embedded import free_port
from portal.management.commands import demo
from portal.processes import Child
from webphone.telephony import servers, sip_data

SYSTEM = "WebPhone"
TELEPHONE = "C20001-301"
#: Seconds that the lock of the packages is waited for.
LOCKED = 180


class Command(demo.Command):
    help = "Start the portal with demo data and telephones that can be called."

    def handle(self, *args, **options):
        self.install()
        settings.TELEPHONY_SECRET = os.environ["TELEPHONY_SECRET"] = secrets.token_hex(32)
        super().handle(*args, **options)

    def install(self) -> None:
        """Install what is missing, where that may be done; otherwise say how."""
        packages = servers.missing_packages()
        if not packages:
            return
        how = f"apt-get install --no-install-recommends {' '.join(packages)}"
        if os.geteuid() != 0:
            raise CommandError(f"Debian packages are missing. Install them, and start again:\n  sudo {how}")
        self.stdout.write(f"Installing {' '.join(packages)} …")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        # Another program may hold the lock of the packages for minutes: unattended upgrades do on a fresh computer.
        apt = ["apt-get", "-qq", "-o", f"DPkg::Lock::Timeout={LOCKED}"]
        for command in ([*apt, "update"], [*apt, "install", "-y", *how.split()[2:]]):
            try:
                subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
            except subprocess.CalledProcessError as failed:
                raise CommandError(
                    f"The packages could not be installed. When no other program installs packages, run:\n  {how}"
                ) from failed
        if packages := servers.missing_packages():
            raise CommandError(f"These Debian packages did not bring what is needed: {' '.join(packages)}")

    def more_greeting(self) -> str:
        return (
            "\nThe WebPhone can be heard: sign in as user@acme.example, open WebPhone, call +1 514 555 0123. It plays"
            "\nback what you say. A number ending in 86 is busy, 80 does not answer, 04 is not there, 99 hangs up.\n"
        )

    @contextmanager
    def more_children(self, address: str) -> Iterator[list[Child]]:
        ports = servers.free_ports()
        password = secrets.token_hex(8)
        with tempfile.TemporaryDirectory(prefix="portal-telephony-") as folder:
            places = servers.Places(
                portal=address,
                origin=address,
                calls_token=self.calls_token(),
                data=f"{folder}/phones.sqlite",
                state=f"{folder}/state.sqlite",
                **ports,
            )
            os.environ |= {
                "PHONE_PASSWORD": password,  # not on a command line, where everybody on this computer would see it
                "TELEPHONY": "sip",
                "TELEPHONY_DOMAIN": places.domain,
                "TELEPHONY_SIP_URL": f"ws://127.0.0.1:{places.web}",
                "TELEPHONY_CALLBACK_URL": f"http://127.0.0.1:{places.service}",
                "TELEPHONY_RPC_URL": f"http://127.0.0.1:{places.rpc}",
                "CALL_COUNTRIES": "*",
            }
            commands = servers.commands(places, Path(folder))
            sip_data.set_phone(Path(places.data), TELEPHONE, places.domain, password)
            manage = [sys.executable, "manage.py"]
            yield [
                Child("media relay", commands["media relay"], ready=lambda: servers.media_answers(places.media)),
                Child("SIP server", commands["SIP server"], ready=lambda: servers.listens(places.web)),
                Child(
                    "call-back service",
                    [*manage, "call_back_service", *servers.service_options(places)],
                    ready=lambda: servers.listens(places.service),
                ),
                Child(
                    "test telephones",
                    [
                        *manage, "test_telephones", "--proxy", str(places.sip), "--carrier", str(places.carrier[1]),
                        "--telephone", f"{TELEPHONE}:{free_port()}",
                    ],
                ),
            ]  # fmt: skip

    @staticmethod
    def calls_token() -> str:
        """The token with which the SIP server tells of calls that come in, as a phone system of the operator's."""
        system = Account.called("SYS")
        actor = Actor.at_home(Person.objects.get(email="system@demo.example"))
        with scope(system):
            # The one of the last start: nobody has its token any more.
            for known in TelephoneSystem.visible_to(actor).filter(name=SYSTEM, revoked_at=None):
                revoke_system(actor, known.pk)
            return add_system(actor, name=SYSTEM)[1]
