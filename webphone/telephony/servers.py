"""The servers of the telephony, on one computer: their configuration, and how they are started in order."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from webphone.telephony import key_for, sip_data

HERE = Path(__file__).parent
#: program -> the Debian packages that bring it, or modules of it
PACKAGES = {
    "kamailio": ["kamailio", "kamailio-websocket-modules", "kamailio-autheph-modules",
                 "kamailio-utils-modules", "kamailio-tls-modules", "kamailio-sqlite-modules"],
    "rtpengine": ["rtpengine-daemon"],
}  # fmt: skip
#: Where Debian has the modules that come in packages of their own.
MODULES = ["websocket", "auth_ephemeral", "http_client", "crypto", "mqueue", "rtpengine", "db_sqlite"]
READY_WITHIN = 20.0
#: Where each block of ports for sound begins, and what holds those that this process has taken.
BLOCKS = range(20_000, 30_000, 400)
HOLDERS: list[socket.socket] = []


def missing_packages() -> list[str]:
    """The Debian packages that have to be installed before telephones can ring."""
    here = [folder for folder in Path("/usr/lib").glob("*/kamailio/modules") if folder.is_dir()]
    lacks_modules = not here or not all((here[0] / f"{name}.so").exists() for name in MODULES)
    lacking = [name for name in PACKAGES if shutil.which(name) is None]
    if lacks_modules and "kamailio" not in lacking:
        lacking.append("kamailio")
    return [package for name in lacking for package in PACKAGES[name]]


@dataclass
class Places:
    """Where the servers are to be found. ``web`` is where browsers connect to, ``carrier`` where calls leave to."""

    portal: str
    origin: str
    domain: str = "portal.test"
    host: str = "127.0.0.1"
    sip: int = 5060
    web_host: str = "127.0.0.1"
    web: int = 5066
    rpc: int = 5067
    media: int = 2223
    media_ports: tuple[int, int] = (30000, 30999)
    service_sip: int = 5070
    service: int = 5071
    carrier: tuple[str, int] = ("127.0.0.1", 5080)
    #: Addresses that calls are let in from besides, each with a port or with any.
    trunks: list[str] = field(default_factory=list)
    #: The files in which the SIP server keeps phones, and calls and registrations: the second belongs in memory, it is
    #: written at each call, and nothing in it outlives the computer.
    data: str = "/var/lib/kamailio/portal.sqlite"
    state: str = "/run/kamailio/portal.sqlite"
    calls_token: str = ""
    #: Seconds that a call may take, and that each side rings.
    longest: int = 14_400
    rings: int = 45
    #: Calls at a time, of one person and of one account.
    at_once: tuple[int, int] = (2, 30)
    #: Requests from one address within two seconds, beyond which it is ignored for a minute.
    flood: int = 300


def configuration(places: Places) -> str:
    """What Kamailio reads."""
    values = {
        "DOMAIN": places.domain, "SIP_HOST": places.host, "SIP_PORT": places.sip, "WEB_HOST": places.web_host,
        "WEB_PORT": places.web, "RPC_PORT": places.rpc, "MEDIA": f"127.0.0.1:{places.media}",
        "CARRIER_HOST": places.carrier[0], "CARRIER_PORT": places.carrier[1], "PORTAL": places.portal.rstrip("/"),
        "ORIGIN": places.origin, "REGISTER_KEY": key_for("register"), "DIAL_KEY": key_for("dial"),
        "SERVICE_KEY": key_for("service"), "EVENTS_KEY": key_for("events"), "CALLS_TOKEN": places.calls_token,
        "LONGEST": places.longest, "RINGS": places.rings * 1000, "FLOOD": places.flood,
        "PERSON_CALLS": places.at_once[0], "ACCOUNT_CALLS": places.at_once[1], "DATA": f"sqlite:///{places.data}",
        "STATE": f"sqlite:///{places.state}",
        "CARRIERS": "\n".join(f"\t$sht(carriers=>{source}) = 1;" for source in sources(places)),
    }  # fmt: skip
    return filled_in("kamailio.cfg", values)


def sources(places: Places) -> list[str]:
    """The addresses of trunks that calls are let in from. On this computer, where others have the same address, with
    the port; otherwise from any port of the carrier's."""
    host, port = places.carrier
    return [f"{host}:{port}" if ip_address(host).is_loopback else host, *places.trunks]


def turn_configuration(
    *,
    host: str,
    port: int,
    media_host: str,
    domain: str,
    ports: tuple[int, int] = (49_152, 65_535),
    certificate: tuple[str, str] | None = None,
) -> str:
    """What coturn reads. ``certificate``: the files of a certificate and its key, for TLS besides (RFC 8656)."""
    values = {
        "HOST": host, "PORT": port, "FIRST": ports[0], "LAST": ports[1], "DOMAIN": domain, "TURN_KEY": key_for("turn"),
        "MEDIA_HOST": media_host,
        "LOOPBACK": "allow-loopback-peers" if ip_address(media_host).is_loopback else "",
        "CERTIFICATE": "cert={}\npkey={}".format(*certificate) if certificate else "no-tls\nno-dtls",
    }  # fmt: skip
    return filled_in("turnserver.conf", values)


def filled_in(template: str, values: dict[str, Any]) -> str:
    text = (HERE / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def commands(places: Places, folder: Path) -> dict[str, list[str]]:
    """Write the configuration into ``folder``; how the media relay and then the SIP server are started."""
    for file in (places.data, places.state):
        sip_data.create(Path(file))
    path = folder / "kamailio.cfg"
    path.touch(mode=0o600)  # keys are in it
    path.write_text(configuration(places))
    first, last = places.media_ports
    return {
        "media relay": [
            # Not the distribution's configuration: it has ports in it.
            "rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--log-level=3", "--table=-1",
            f"--interface={places.host}", f"--listen-ng=127.0.0.1:{places.media}", f"--port-min={first}",
            f"--port-max={last}",
        ],
        "SIP server": ["kamailio", "-DD", "-E", "-f", str(path), "-m", "64", "-M", "8", "-Y", str(folder)],
    }  # fmt: skip


def service_options(places: Places) -> list[str]:
    """The options of ``manage.py call_back_service``."""
    return [
        "--host", places.host, "--sip-port", str(places.service_sip), "--port", str(places.service), "--proxy",
        f"{places.host}:{places.sip}", "--portal", places.portal, "--rings", str(places.rings),
    ]  # fmt: skip


def unused(count: int) -> list[int]:
    """So many ports that nobody has, neither for TCP nor for UDP."""
    kept, ports = [], []
    try:
        while len(ports) < count:
            stream, datagrams = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            kept += [stream, datagrams]
            stream.bind(("127.0.0.1", 0))
            port = stream.getsockname()[1]
            with suppress(OSError):
                datagrams.bind(("127.0.0.1", port))
                ports.append(port)
    finally:
        for one in kept:
            one.close()
    return ports


def media_block() -> tuple[int, int]:
    """Ports for sound, the first and the last, away from those that connections get. No other stack on this computer
    has them: who speaks to a port that was another's a moment ago would be heard there. Held while this process lives.
    """
    for first in BLOCKS:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind(("127.0.0.1", first + BLOCKS.step - 1))
        except OSError:
            holder.close()
        else:
            HOLDERS.append(holder)
            return first, first + BLOCKS.step - 3  # sound takes pairs of ports
    raise RuntimeError("All ports for sound are taken by other stacks on this computer.")


def free_ports() -> dict[str, Any]:
    """Ports that nothing uses, for all that runs on this computer alone."""
    names = ("sip", "web", "rpc", "media", "service_sip", "service")
    *ports, carrier = unused(len(names) + 1)
    return dict(zip(names, ports, strict=True)) | {"carrier": ("127.0.0.1", carrier), "media_ports": media_block()}


def media_answers(port: int) -> bool:
    """Whether the media relay is there. The SIP server has to be started after it: otherwise it takes it for lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
        asks.settimeout(0.3)
        try:
            asks.sendto(b"1 d7:command4:pinge", ("127.0.0.1", port))
            return b"pong" in asks.recv(200)
        except OSError:
            return False


def listens(port: int) -> bool:
    with socket.socket() as asks:
        asks.settimeout(0.3)
        return asks.connect_ex(("127.0.0.1", port)) == 0


def wait_until(ready, what: str, process: subprocess.Popen | None = None) -> None:
    """Raises ``RuntimeError`` where something does not become ready, or ends before."""
    deadline = time.monotonic() + READY_WITHIN
    while not ready():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            raise RuntimeError(f"The {what} did not start.")
        time.sleep(0.05)
