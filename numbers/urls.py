"""The pages of an account that are about its numbers, its home page among them."""

from django.urls import include, path

from numbers import help_pages
from numbers.views import as_of, calls, destinations, imports, jobs, phone_numbers, runs, stock, verbs

number_urls = (
    [
        path("", phone_numbers.PhoneNumberList.as_view(), name="list"),
        path("add/", stock.add, name="add"),
        path("import/", imports.send, name="import"),
        path("imports/", imports.ImportList.as_view(), name="imports"),
        path("imports/export.csv", imports.ImportList.as_view(export="csv"), name="imports_csv"),
        path("imports/export.pdf", imports.ImportList.as_view(export="pdf"), name="imports_pdf"),
        path("imports/<int:import_id>/", imports.ImportPage.as_view(), name="import_page"),
        path("imports/<int:import_id>/export.csv", imports.ImportPage.as_view(export="csv"), name="import_csv"),
        path("imports/<int:import_id>/export.pdf", imports.ImportPage.as_view(export="pdf"), name="import_pdf"),
        path("imports/<int:import_id>/cancel/", imports.cancel, name="import_cancel"),
        path("in-a-row/", runs.RunList.as_view(), name="runs"),
        path("in-a-row/export.csv", runs.RunList.as_view(export="csv"), name="runs_csv"),
        path("in-a-row/export.pdf", runs.RunList.as_view(export="pdf"), name="runs_pdf"),
        path("as-of/", as_of.AsOfList.as_view(), name="as_of"),
        path("as-of/export.csv", as_of.AsOfList.as_view(export="csv"), name="as_of_csv"),
        path("as-of/export.pdf", as_of.AsOfList.as_view(export="pdf"), name="as_of_pdf"),
        path("find/", phone_numbers.find, name="find"),
        path("export.csv", phone_numbers.PhoneNumberList.as_view(export="csv"), name="export_csv"),
        path("export.pdf", phone_numbers.PhoneNumberList.as_view(export="pdf"), name="export_pdf"),
        path("<int:digits>/", phone_numbers.detail, name="detail"),
        *(
            path(f"<int:digits>/{slug}/", verbs.act, {"slug": slug}, name=name)
            for slug, name in verbs.ADDRESSES.items()
        ),
        *(
            path(f"bulk/{slug}/", jobs.choose, {"slug": slug}, name=f"bulk_{name}")
            for slug, name in verbs.ADDRESSES.items()
        ),
        path("jobs/", jobs.JobList.as_view(), name="jobs"),
        path("jobs/export.csv", jobs.JobList.as_view(export="csv"), name="jobs_csv"),
        path("jobs/export.pdf", jobs.JobList.as_view(export="pdf"), name="jobs_pdf"),
        path("jobs/<int:job_id>/", jobs.JobPage.as_view(), name="job"),
        path("jobs/<int:job_id>/export.csv", jobs.JobPage.as_view(export="csv"), name="job_csv"),
        path("jobs/<int:job_id>/export.pdf", jobs.JobPage.as_view(export="pdf"), name="job_pdf"),
        path("jobs/<int:job_id>/cancel/", jobs.cancel, name="job_cancel"),
        path("jobs/<int:job_id>/retry/", jobs.retry, name="job_retry"),
    ],
    "numbers",
)

destination_urls = (
    [
        path("", destinations.DestinationList.as_view(), name="list"),
        path("export.csv", destinations.DestinationList.as_view(export="csv"), name="export_csv"),
        path("export.pdf", destinations.DestinationList.as_view(export="pdf"), name="export_pdf"),
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
        path("", calls.SystemList.as_view(), name="systems"),
        path("export.csv", calls.SystemList.as_view(export="csv"), name="systems_csv"),
        path("export.pdf", calls.SystemList.as_view(export="pdf"), name="systems_pdf"),
        path("add/", calls.add, name="add"),
        path("<int:system_id>/", calls.detail, name="system"),
        path("<int:system_id>/revoke/", calls.revoke, name="revoke"),
    ],
    "calls",
)

urlpatterns = [
    path("", phone_numbers.home, name="account_home"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:topic>/", help_pages.page, name="help_topic"),
    path("numbers/", include(number_urls)),
    path("destinations/", include(destination_urls)),
    path("phone-systems/", include(call_urls)),
]
