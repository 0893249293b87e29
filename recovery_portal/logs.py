"""Logs: one JSON object a line in production, readable lines where DEBUG is on; secrets are taken out of both."""

from __future__ import annotations

import logging
from typing import Any, Final

import structlog
from django.core.mail import mail_admins
from structlog.typing import EventDict, Processor, WrappedLogger

from recovery.domain.redaction import redact


def redact_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Secrets out of every text of a log line (design §8)."""
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


ALARMS: Final = frozenset({"duplicate", "contradiction", "name_taken", "identity"})
"""Events of level ERROR about which a person has to do something."""


class AlarmMail(logging.Handler):
    """Sends alarms to ADMINS (`ALARM_EMAILS`), where there are any; the line as it is logged, secrets taken out."""

    def emit(self, record: logging.LogRecord) -> None:
        """A mail server that is away must not stop a worker: logging tells it on stderr, and goes on."""
        event = record.msg.get("event") if isinstance(record.msg, dict) else None
        if event not in ALARMS:
            return
        try:
            mail_admins(f"ALARM: {event}", self.format(record))
        except OSError:  # smtplib's errors too
            self.handleError(record)


def logging_config(level: str, *, plain: bool) -> dict[str, Any]:
    """A `dictConfig` that sends the standard library's loggers and structlog's through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines"},
            "alarms": {"class": "recovery_portal.logs.AlarmMail", "formatter": "lines", "level": "ERROR"},
        },
        "root": {"handlers": ["stderr", "alarms"], "level": level.upper()},
        "loggers": {
            "urllib3": {"level": "WARNING"},
            # Django's own would send each error by mail, with the settings in it
            "django": {"handlers": [], "level": "INFO"},
            "django.utils.autoreload": {"level": "WARNING"},
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
