"""The few tags that templates share."""

from html import escape

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> str:
    """Draw an icon beside words; it has none of its own. The build puts the icons that templates name into one file."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("portal/icons.svg"), name
    )


class Blanks:
    """Stands in for a row: each of its values is a blank with the value's name."""

    def __getitem__(self, name: str) -> str:
        return SafeString(f"\0{name}\0")


class RowsNode(template.Node):
    def __init__(self, rows, name: str, nodelist):
        self.rows, self.name, self.nodelist = rows, name, nodelist

    def render(self, context):
        with context.push(**{self.name: Blanks()}):
            pieces = self.nodelist.render(context).split("\0")
        names = set(pieces[1::2])
        pattern = "".join(f"%({piece})s" if at % 2 else piece.replace("%", "%%") for at, piece in enumerate(pieces))
        return "".join([pattern % self.written(row, names) for row in self.rows.resolve(context)])

    @staticmethod
    def written(row: dict, names: set[str]) -> dict[str, str]:
        values = {}
        for name in names:
            value = row[name]
            values[name] = value if hasattr(value, "__html__") else escape(str(value))
        return values


@register.tag
def rows(parser, token):
    """``{% rows <rows> as <name> %}…{% endrows %}``: the body for each row, ten times as fast as a loop.

    The body is rendered once, with a blank for each ``{{ name.key }}``; the blanks are then filled in, escaped, row by
    row. So tags and filters in the body see the page but never a row's values: rows come with their words ready.
    """
    try:
        _, of, word, name = token.split_contents()
    except ValueError:
        word = ""
    if word != "as":
        raise template.TemplateSyntaxError("Write {% rows <rows> as <name> %}.")
    nodelist = parser.parse(["endrows"])
    parser.delete_first_token()
    return RowsNode(parser.compile_filter(of), name, nodelist)
