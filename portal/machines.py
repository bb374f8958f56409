"""Requests of machines: they have no session, and sign in with each."""


def bearer_token(request) -> str:
    """The token that came with a request (RFC 6750, 2.1); empty where none did.

    A view that goes by it alone looks at no cookie, so that another site can make no browser send what it takes: such a
    view is exempt from the check for that.
    """
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
