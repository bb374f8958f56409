"""``manage.py providers``: the carriers that numbers come from, and whether those that are set up answer."""

from django.core.management.base import BaseCommand, CommandError

from numbers.carriers import CarrierError, configured
from numbers.listing.offers import Wanted
from numbers.models import Provider
from portal.database.owner import as_owner


class Command(BaseCommand):
    help = (
        "Add the named providers and those of CARRIERS where they are missing, list all, and ask the carriers of"
        " CARRIERS whether they answer. Wants MIGRATION_DATABASE_URL, as migrate does."
    )

    def add_arguments(self, parser):
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument("--sms", action="store_true", help="the named ones offer SMS")
        parser.add_argument("--fax", action="store_true", help="the named ones offer fax")

    def handle(self, *args, **options):
        # The portal reads providers and writes none.
        with as_owner():
            self.add_and_list(**{name: options[name] for name in ("names", "sms", "fax")})

    def add_and_list(self, names: list[str], *, sms: bool, fax: bool) -> None:
        """Add what is missing, list all, ask the carriers. Raises ``CommandError``."""
        for name in names:
            if not (name.strip() == name and name.isprintable() and 0 < len(name) <= 80):
                raise CommandError(f"{name!r} is no name for a provider: one line of at most 80 characters.")
            facts = {"supports_sms": sms, "supports_fax": fax}
            Provider.objects.update_or_create(name=name, defaults=facts)
        carriers, silent = configured(), []
        for name in carriers:
            Provider.objects.get_or_create(name=name, defaults={"supports_sms": True})
        for provider in Provider.objects.order_by("name_folded"):
            told = ""
            if carrier := carriers.get(provider.name):
                try:
                    carrier.carrier.search(Wanted(region="US", code="1"), 1)
                    told = "orders go to it, and it answers"
                except CarrierError as error:
                    told = str(error)
                    silent.append(provider.name)
            features = [feature for feature in ("sms", "fax") if getattr(provider, f"supports_{feature}")]
            self.stdout.write("  ".join(filter(None, [provider.name, *features, told])))
        if silent:
            raise CommandError(f"No good answer from {', '.join(silent)}: look at CARRIERS.")
