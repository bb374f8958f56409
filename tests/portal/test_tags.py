"""The tags that draw pages from kept pieces."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from accounts.models import Account

ROWS = "{% load portal %}{% rows rows as row width=width %}<b style='{{ width }}%'>{{ row.name }}</b>{% endrows %}"


def drawn(text, **context):
    return Template(text).render(Context(context))


def test_rows_are_drawn_like_a_loop_with_every_value_escaped():
    rows = [{"name": name, "id": at} for at, name in enumerate(["<i>", None, "a & 'b'", "100 % 100%s", "", "ü\n"])]
    text = "{{% load portal %}}|{}%<b id='{{{{ row.id }}}}'>{{{{ row.name{} }}}} {{{{ row.id }}}}</b>{}|"
    loop = text.format("{% for row in rows %}", '|default_if_none:""', "{% endfor %}")
    kit = text.format("{% rows rows as row %}", "", "{% endrows %}")
    assert "&lt;i&gt;" in drawn(kit, rows=rows)
    for some in (rows, rows[:1], []):
        assert drawn(kit, rows=some) == drawn(loop, rows=some)


def test_rows_see_their_inputs_and_are_drawn_anew_for_others():
    rows = [{"name": "one"}, {"name": "two"}]
    template = Template(ROWS)
    for width in (7, "<8>"):
        assert template.render(Context({"rows": rows, "width": width})) == "".join(
            f"<b style='{str(width).replace('<', '&lt;').replace('>', '&gt;')}%'>{row['name']}</b>" for row in rows
        )


def test_what_is_kept_shows_its_inputs_alone():
    template = Template("{% load portal %}{% kept name=name %}{{ name }}{{ secret }}{% endkept %}{{ secret }}")
    assert template.render(Context({"name": "Ann", "secret": 1})) == "Ann1"
    assert template.render(Context({"name": "Ann", "secret": 2})) == "Ann2"
    assert template.render(Context({"name": "<b>", "secret": 3})) == "&lt;b&gt;3"


def test_what_is_kept_is_kept_for_each_language():
    template = Template("{% load portal i18n %}{% kept %}{% translate 'Yes' %}{% endkept %}")
    for language, word in (("en", "Yes"), ("de", "Ja"), ("en", "Yes")):
        with translation.override(language):
            assert template.render(Context()) == word


@pytest.mark.parametrize("written", ["rows rows", "rows rows as", "rows rows as row more", "kept more"])
def test_a_tag_that_is_written_wrongly_says_how_it_is_written(written):
    with pytest.raises(TemplateSyntaxError, match=r"Write \{% "):
        Template(f"{{% load portal %}}{{% {written} %}}")


def test_a_row_of_the_database_is_not_kept():
    with pytest.raises(TypeError):
        drawn("{% load portal %}{% kept account=account %}{{ account }}{% endkept %}", account=Account(name="Acme"))
