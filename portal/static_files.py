"""Names of static files. A file that is missing costs its look, never the page."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which gives a file that was never collected its plain name instead of an error.

    Pages that say what went wrong name static files too. ``serve`` refuses to start without the front end.
    """

    def stored_name(self, name):
        try:
            return super().stored_name(name)
        except ValueError:
            return name
