"""Addresses and helpers of the admin's tests."""

from __future__ import annotations

import html
import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from recovery.models import LivyProfile, Recovery
from tests.factories import ARGS, JAR

FILE = "/admin/recovery/recovery/file/"
LIST = "/admin/recovery/recovery/"


def page(recovery: Recovery, name: str = "change") -> str:
    """Of a recovery."""
    return reverse(f"admin:recovery_recovery_{name}", args=[recovery.pk])


def typed(profile: LivyProfile, /, **values: Any) -> dict[str, Any]:
    """What a person types into the filing form."""
    return {
        "profile": profile.name,
        "jarPath": JAR,
        "jarArgs": ARGS,
        "reason": "a day is missing",
        "filingKey": str(uuid.uuid4()),
    } | values


def text(response: Any) -> str:
    """The page as a person reads it, tags included."""
    return html.unescape(response.content.decode())


def previewed(client: Client, url: str, data: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """(the preview, the data that its button sends)."""
    response = client.post(url, data | {"_preview": "1"})
    assert response.status_code == 200
    assert "sheet" in response.context, response.context["form"].errors
    token = response.context["sheet"].token
    return response, data | {"previewed": token, "confirm": to_be_confirmed(response), "_file": "1"}


def to_be_confirmed(response: Any) -> list[str]:
    """The keys of the boxes on a page that shows a preflight."""
    lights = response.context.get("lights") or response.context["panel"].lights
    return [row.key for row in lights.rows if row.asks]


def filed(client: Client, url: str, data: dict[str, Any]) -> Recovery:
    """Files through both steps; the recovery."""
    _preview, send = previewed(client, url, data)
    response = client.post(url, send)
    assert response.status_code == 302, text(response)
    return Recovery.objects.get(pk=int(response["Location"].split("/")[-3]))


def messages(response: Any) -> list[str]:
    """What the page says above its content."""
    return [str(message) for message in response.context["messages"]]
