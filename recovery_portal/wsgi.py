"""For gunicorn: refuses to start on a bad configuration, because no management command checks it here."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
application = get_wsgi_application()

from recovery.checks import refuse_bad_configuration, warn_of_differences  # noqa: E402  # needs the applications loaded

refuse_bad_configuration()
warn_of_differences()
