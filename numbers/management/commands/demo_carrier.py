"""``manage.py demo_carrier``: a carrier that does not exist, for the demo to order numbers from."""

from django.core.management.base import BaseCommand

from numbers.carriers import simulated_server


class Command(BaseCommand):
    help = "Answer as a carrier would, on this computer alone, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--tells", default="", help="the address that is told when an order has arrived")
        parser.add_argument("--seconds", type=float, default=2.0, help="from one number's arrival to the next")

    def handle(self, *args, **options):
        simulated_server.serve(options["port"], seconds=options["seconds"], listener=options["tells"]).serve_forever()
