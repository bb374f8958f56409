"""Every kind of person at every address with every method, against the policy."""

import pytest

from accounts.policy import ADDRESSES, Door, needed_for
from tests.access.addresses import ALL
from tests.access.database import undone
from tests.access.identities import IDENTITIES

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
#: What an address may answer to somebody whom the policy lets in. An empty form names nothing, or is refused.
ANSWERS = {
    "GET": {200, 302, 405},
    "HEAD": {200, 302, 405},
    "POST": {200, 302, 404, 405, 409, 422},
    "PUT": {405},
    "DELETE": {405},
}
#: allauth's forms take PUT for POST, and ask for something else first whatever the method.
ANSWERS_AT_A_DOOR = ANSWERS | {"PUT": {200, 302, 404, 405}, "DELETE": {200, 302, 404, 405}}


def expected(identity, name, method):
    needed = needed_for(name, method)
    if needed is Door.CLOSED:
        return {404}
    if needed is Door.MACHINE:
        return {"GET": {200, 405}, "HEAD": {200, 405}, "POST": {401, 405}}.get(method, {405})
    if needed is Door.PUBLIC:
        return ANSWERS_AT_A_DOOR[method] | {404}
    if identity.is_nobody:
        return {302}
    if needed is Door.SIGNED_IN:
        return ANSWERS_AT_A_DOOR[method]
    if needed is Door.ENTRANCE or (needed is not None and identity.may(needed)):
        return ANSWERS[method]
    return {403}


def known_siblings(seat):
    """What is not absent of an account that one may not enter: another customer of the same VAR."""
    code = seat.world.sibling.company.code
    for name, address in ALL.items():
        for method in ("GET", "POST") if address.is_of_account else ():
            path = seat.path(address, code=code)
            with undone(seat.client):
                answer = seat.client.generic(method, path)
            if answer.status_code != 404:
                yield f"{method} {path} ({name}): {answer.status_code}"


@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_every_address_answers_as_the_policy_says(world, identity, record_property):
    seat = world.seat(identity)
    wrong, cells = [], 0
    for name, address in ALL.items():
        path = seat.path(address)
        for method in METHODS:
            with undone(seat.client):
                answer = seat.client.generic(method, path)
                if answer.streaming:
                    answer.getvalue()
            cells += 1
            wanted = expected(identity, name, method)
            if answer.status_code not in wanted:
                wrong.append(f"{method} {path} ({name}): {answer.status_code}, not {wanted}")
            elif identity.is_nobody and wanted == {302} and not answer.url.startswith("/login/?next=/"):
                wrong.append(f"{method} {path} ({name}): to {answer.url}")
    if not identity.is_nobody and not identity.may_enter_the_sibling:
        wrong += known_siblings(seat)
    record_property("cells", cells)
    record_property("cells_in_policy", len(IDENTITIES) * len(ADDRESSES) * len(METHODS))
    assert not wrong, "\n".join(wrong)
    assert cells == len(ADDRESSES) * len(METHODS)
