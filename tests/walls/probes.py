"""Pages that say with whose rights they run, beside the portal's own."""

from django.db import connection, transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import include, path

from numbers.models import PhoneNumber

#: What ran after the commit of a page.
AFTERWARDS = []


def rights():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, split_part(coalesce(current_setting('portal.scope', true), ''), '|', 2)")
        return cursor.fetchone()


def numbers():
    return sorted(PhoneNumber.unscoped.values_list("e164", flat=True))


def page(request, code):
    return JsonResponse({"rights": rights(), "numbers": numbers()})


def lazy(request, code):
    template = engines["django"].from_string("{% for n in numbers %}{{ n }} {% endfor %}")
    return TemplateResponse(request, template, {"numbers": PhoneNumber.unscoped.order_by("digits")})


def stream(request, code):
    def chunks():
        yield f"{rights()[0]} "
        for number in numbers():
            yield f"{number} "
        if "fails" in request.GET:
            raise ZeroDivisionError

    return StreamingHttpResponse(chunks())


def commit(request, code):
    def later():
        try:
            AFTERWARDS.append(numbers())
        except Exception as error:
            AFTERWARDS.append(str(error))

    transaction.on_commit(later)
    return HttpResponse()


def savepoint(request, code):
    try:
        with transaction.atomic():
            numbers()
            raise LookupError
    except LookupError:
        return JsonResponse({"rights": rights(), "numbers": numbers()})


def fails(request, code):
    PhoneNumber.unscoped.update(label="half done")
    raise ZeroDivisionError


def nobody(request):
    with transaction.atomic():
        return JsonResponse({"numbers": numbers()} if "numbers" in request.GET else {"rights": rights()})


VIEWS = (page, lazy, stream, commit, savepoint, fails)
urlpatterns = [
    path("nobody/", nobody, name="nobody"),
    *(path(f"<slug:code>/probe/{view.__name__}/", view, name=f"probe_{view.__name__}") for view in VIEWS),
    path("", include("portal.urls")),
]
