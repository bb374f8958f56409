"""The pages of an account that are about its numbers, its home page among them."""

from django.urls import include, path

from numbers import help_pages
from numbers.views import (
    as_of,
    assigning,
    calls,
    destinations,
    finding,
    imports,
    jobs,
    levels,
    ordering,
    orders,
    phone_numbers,
    releases,
    runs,
    statements,
    stock,
    verbs,
    wishes,
)

number_urls = (
    [
        *phone_numbers.PhoneNumberList.paths(),
        path("add/", stock.add, name="add"),
        path("order/", ordering.search, name="order"),
        path("order/basket/", ordering.choose, name="order_choose"),
        path("order/basket/put-back/", ordering.put_back, name="order_put_back"),
        path("order/ask/", wishes.ask, name="order_ask"),
        path("order/review/", ordering.review, name="order_review"),
        path("import/", imports.send, name="import"),
        path("compare/", statements.compare, name="compare"),
        *imports.ImportList.paths("imports/"),
        path("imports/<int:import_id>/", imports.ImportPage.as_view(), name="import_page"),
        path("imports/<int:import_id>/export.csv", imports.ImportPage.as_view(export="csv"), name="import_csv"),
        path("imports/<int:import_id>/export.xlsx", imports.ImportPage.as_view(export="xlsx"), name="import_xlsx"),
        path("imports/<int:import_id>/export.pdf", imports.ImportPage.as_view(export="pdf"), name="import_pdf"),
        path("imports/<int:import_id>/refused.csv", imports.refused, name="import_refused"),
        path("imports/<int:import_id>/cancel/", imports.cancel, name="import_cancel"),
        path("imports/<int:import_id>/columns/", imports.columns, name="import_columns"),
        path("imports/<int:import_id>/lines/<int:number>/", imports.line, name="import_line"),
        path("imports/<int:import_id>/undo/", imports.undo, name="import_undo"),
        *levels.LevelList.paths("levels/"),
        path("levels/add/", levels.add, name="level_add"),
        path("levels/<int:level_id>/remove/", levels.remove, name="level_remove"),
        *releases.ReleaseList.paths("released/"),
        path("released/again/", releases.again, name="released_again"),
        path("released/<int:release_id>/done/", releases.done, name="released_done"),
        *runs.RunList.paths("in-a-row/"),
        *as_of.AsOfList.paths("as-of/"),
        path("find/", finding.find, name="find"),
        path("<int:digits>/", phone_numbers.detail, name="detail"),
        *(
            path(f"<int:digits>/{slug}/", verbs.act, {"slug": slug}, name=name)
            for slug, name in verbs.ADDRESSES.items()
        ),
        *(
            path(f"bulk/{slug}/", jobs.choose, {"slug": slug}, name=f"bulk_{name}")
            for slug, name in verbs.ADDRESSES.items()
        ),
        *jobs.JobList.paths("jobs/"),
        *jobs.JobPage.paths("jobs/<int:job_id>/", "job"),
        path("jobs/<int:job_id>/cancel/", jobs.cancel, name="job_cancel"),
        path("jobs/<int:job_id>/retry/", jobs.retry, name="job_retry"),
        path("jobs/<int:job_id>/undo/", jobs.undo, name="job_undo"),
    ],
    "numbers",
)

order_urls = (
    [
        *orders.OrderList.paths(),
        *orders.OrderPage.paths("<int:order_id>/", "order"),
        path("<int:order_id>/deliver/", wishes.deliver, name="deliver"),
        path("<int:order_id>/approve/", orders.approve, name="approve"),
        path("<int:order_id>/refuse/", orders.refuse, name="refuse"),
        path("<int:order_id>/cancel/", orders.cancel, name="cancel"),
        path("<int:order_id>/give-up/", orders.give_up, name="give_up"),
        path("<int:order_id>/route/", orders.route, name="route"),
        path("<int:order_id>/assign/", assigning.assign, name="assign"),
    ],
    "orders",
)

destination_urls = (
    [
        *destinations.DestinationList.paths(),
        path("suggestions/", destinations.suggestions, name="suggestions"),
        path("add/", destinations.add, name="add"),
        path("<int:destination_id>/", destinations.detail, name="detail"),
        path("<int:destination_id>/change/", destinations.change, name="change"),
        path("<int:destination_id>/delete/", destinations.delete, name="delete"),
    ],
    "destinations",
)

call_urls = (
    [
        *calls.SystemList.paths(),
        path("add/", calls.add, name="add"),
        path("<int:system_id>/", calls.detail, name="system"),
        path("<int:system_id>/change/", calls.change, name="change"),
        path("<int:system_id>/address/", calls.address, name="address"),
        path("<int:system_id>/revoke/", calls.revoke, name="revoke"),
    ],
    "calls",
)

urlpatterns = [
    path("", phone_numbers.home, name="account_home"),
    path("go-to/", finding.go_to, name="go_to"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:topic>/", help_pages.page, name="help_topic"),
    path("numbers/", include(number_urls)),
    path("orders/", include(order_urls)),
    path("destinations/", include(destination_urls)),
    path("phone-systems/", include(call_urls)),
]
