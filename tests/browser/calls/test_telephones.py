"""What the telephones of ``make phone`` and of these tests do by themselves."""

import re
import socket
import time

from tests.browser.calls.conftest import DOMAIN
from webphone.telephony import servers
from webphone.telephony.stack import Stack

#: Seconds for which this registrar takes telephones.
GRANTED = 4


def taken(request):
    """What a registrar answers (RFC 3261, 10.3)."""
    kept = b"".join(re.findall(rb"(?mi)^(?:Via|From|To|Call-ID|CSeq): .*?\r\n", request))
    contact = re.search(rb"(?mi)^Contact: *(<[^>]+>)", request)[1]
    return b"SIP/2.0 200 OK\r\n%sContact: %s;expires=%d\r\nContent-Length: 0\r\n\r\n" % (kept, contact, GRANTED)


def test_a_telephone_comes_again_before_it_is_forgotten(real):
    host = real.places.host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as registrar:
        registrar.bind((host, 0))
        registrar.settimeout(3 * GRANTED)
        telephone = Stack(host, servers.unused(1)[0], registrar.getsockname(), DOMAIN)
        registering = []
        Stack.soon(lambda: registering.append(telephone.register("C20001-301", "pw")))
        request, address = registrar.recvfrom(4096)
        registrar.sendto(taken(request), address)
        forgotten = time.monotonic() + GRANTED
        again, _address = registrar.recvfrom(4096)
        assert again.startswith(b"REGISTER ")
        assert time.monotonic() < forgotten
        registrar.sendto(taken(again), address)
        registering[0].stopregister()
