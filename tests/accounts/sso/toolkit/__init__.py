"""An identity provider that nobody here wrote: django-oauth-toolkit, as a process and a site of its own.

It demands PKCE, a registered callback and the client's secret, signs people in by a form, asks again for
``prompt=login``, and says when they signed in. It does not look at ``max_age``.
"""
