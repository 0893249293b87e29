"""For an ASGI server: refuses to start on a bad configuration, because no management command checks it here."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
application = get_asgi_application()

from recovery.checks import refuse_bad_configuration, warn_of_differences  # noqa: E402  # needs the applications loaded

refuse_bad_configuration()
warn_of_differences()
