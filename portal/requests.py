"""The request class of the portal."""

from django.core.handlers.wsgi import WSGIRequest


class Utf8Request(WSGIRequest):
    """A request that is decoded as UTF-8, as browsers and phone systems send it, whatever its ``Content-Type`` says.

    Django uses any codec of Python's that is named there. Some are not text codecs, some decode to text that cannot be
    encoded again, some do not exist, and Django does not handle these errors.
    """

    @property
    def encoding(self):
        return None

    @encoding.setter
    def encoding(self, named):
        """Ignored: the default, None, stands for UTF-8."""

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except ValueError:
            self.content_type, self.content_params = "", {}
