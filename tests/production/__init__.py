"""``make production-test``: the documentation of installing is executed on a clean machine."""
