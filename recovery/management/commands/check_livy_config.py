"""`manage.py check_livy_config [--probe]`: what was read from `.env`, what is wrong with it, what the gateway says."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from recovery.conf import SECRET_VARIABLES, Config, Reading, gateway_url, reading
from recovery.domain.gateways import AuthKind
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import GatewayError, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.wording import label

LISTS = (
    ("JARs", "LIVY_JARS"),
    ("Files", "LIVY_FILES"),
    ("Archives", "LIVY_ARCHIVES"),
    ("PyFiles", "LIVY_PY_FILES"),
)


class Command(BaseCommand):
    """Needs no valid configuration to run: that is what it is for."""

    help = "Prints the Livy configuration as it was read, and says per variable what is wrong with it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--probe` calls the gateway."""
        parser.add_argument("--probe", action="store_true", help="call the gateway: reachable, let in, Livy's version")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when something is wrong."""
        read = reading()
        self.stdout.write(f"Read from: {read.path} and the environment")
        for title, variable in LISTS:
            self.stdout.write(f"{title}: {list(read[variable])}")
        self.stdout.write(f"Conf: {dict(read['LIVY_CONF'])}")
        shown = {name for _title, name in LISTS} | {"LIVY_CONF"}
        for name, value in read.values.items():
            if name not in shown:
                text = "***" if name in SECRET_VARIABLES and value else value
                self.stdout.write(f"{name}={text}")
        for problem in read.problems:
            self.stderr.write(self.style.ERROR(f"{problem.variable}: read {problem.read}"))
            self.stderr.write(f"  expected: {problem.expected}")
        if options["probe"]:
            self._probe(read)
        if read.problems:
            raise CommandError(f"{len(read.problems)} variable(s) cannot be used")
        self.stdout.write(self.style.SUCCESS("The configuration can be used."))

    def _probe(self, read: Reading) -> None:
        if not read["KNOX_HOST"]:
            raise CommandError("KNOX_HOST is not set: there is no gateway to call")
        endpoint = Endpoint(
            base_url=gateway_url(read["KNOX_HOST"], read["KNOX_TOPOLOGY"]),
            auth=AuthKind.BASIC if read["AD_USER"] else AuthKind.NONE,
            user=read["AD_USER"],
            secret=Config.get_ad_password(),
            verify_tls=read["KNOX_VERIFY_TLS"],
            ca_bundle=read["KNOX_CA_BUNDLE"],
        )
        self.stdout.write(f"Gateway: {endpoint.base_url} as {endpoint.user or 'nobody'}")
        try:
            with KnoxLivyClient.at(endpoint) as client:
                version = client.version()
                held = client.list(size=0).total
        except GatewayError as error:
            why = label(error.condition) if isinstance(error, NotSent) else "cannot be used"
            raise CommandError(f"The gateway {why}: {error.words}") from error
        self.stdout.write(f"Reachable, let in. Livy {version.text}, {held} batch(es) held.")
        if version.knows_names is not True:
            raise CommandError(f"Livy {version.text}: batch names need 0.6 or later")
        self.stdout.write("Stock Knox runs every job as the user it let in, whatever proxyUser asks for.")
