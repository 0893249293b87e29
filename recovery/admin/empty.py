"""What a list says when it has nothing to show: why, and what this person can do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _


@dataclass(frozen=True, kw_only=True, slots=True)
class Nothing:
    """The words, and a way on."""

    title: str
    text: str = ""
    button: str = ""
    url: str = ""
    filtered: bool = False
    """There may be rows behind the filters."""


def behind_filters() -> Nothing:
    """Nothing fits."""
    return Nothing(
        title=_("Nothing fits these filters"),
        text=_("There may be more without them, or with another search."),
        button=_("Remove the filters"),
        url="?",
        filtered=True,
    )


def no_recovery(request: HttpRequest) -> Nothing:
    """Of the list of recoveries, and of those of it that the navigation names."""
    chosen = {name: str(value) for name, value in request.GET.items() if value}
    named = {
        ("requester", "me"): (_("You have filed no recovery yet"), _("What you file appears here at once.")),
        ("phase", "live"): (_("Nothing runs at the moment"), _("What is filed appears here at once.")),
        ("phase", "attention"): (_("Nothing waits for anybody"), _("What fails, is refused or gets lost stands here.")),
    }
    if len(chosen) > 1 or (chosen and next(iter(chosen.items())) not in named):
        return behind_filters()
    title, text = named[next(iter(chosen.items()))] if chosen else (
        _("No recovery has been filed yet"), _("Each one stands here from then on, with its state and its log."),
    )  # fmt: skip
    if chosen.get("phase") == "attention" or not request.user.has_perm("recovery.file_recovery"):
        return Nothing(title=title, text=text)
    return Nothing(title=title, text=text, button=_("Run a recovery"), url=reverse("admin:recovery_recovery_file"))
