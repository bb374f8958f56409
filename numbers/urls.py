"""The pages of an account that are about its numbers, its home page among them."""

from django.urls import include, path

from numbers import help_pages, views

number_urls = (
    [
        path("", views.PhoneNumberList.as_view(), name="list"),
        path("find/", views.find, name="find"),
        path("export.csv", views.PhoneNumberList.as_view(export="csv"), name="export_csv"),
        path("export.pdf", views.PhoneNumberList.as_view(export="pdf"), name="export_pdf"),
        path("<int:digits>/", views.detail, name="detail"),
    ],
    "numbers",
)

urlpatterns = [
    path("", views.home, name="account_home"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:topic>/", help_pages.page, name="help_topic"),
    path("numbers/", include(number_urls)),
]
