"""`/healthz` (the process lives) and `/readyz` (it can reach its database), and a plain answer when it cannot."""

from __future__ import annotations

from collections.abc import Callable

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from recovery.api.problems import unavailable


class HealthMiddleware:
    """Answers the probes before anything else, and a lost database with 503 and Retry-After."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Probes first; everything else as usual."""
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return self._ready()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 when the database cannot be reached: nothing was filed, try again soon."""
        if isinstance(exception, OperationalError):
            return unavailable()
        return None

    def _ready(self) -> HttpResponse:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except OperationalError:
            return unavailable()
        return JsonResponse({"status": "ok"})
