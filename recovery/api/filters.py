"""What a list of recoveries can be narrowed by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import Q
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import FilterSet, IsoDateTimeFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from recovery.domain.states import LIVE, State
from recovery.domain.verdicts import Outcome
from recovery.models.recovery import RecoveryQuerySet

SEARCHED: Final = ("jar_path", "raw_jar_args", "batch_name", "app_id", "reason", "requester_label")


@extend_schema_field(OpenApiTypes.INT)
class WholeNumberFilter(django_filters.NumberFilter):
    """An id."""

    field_class = forms.IntegerField


def _described(words: list[str], **kwargs: Any) -> dict[str, Any]:
    told = {"description": kwargs["help_text"]} if "help_text" in kwargs else {}
    return {"type": "string", "enum": words, **told}


class WordFilter(django_filters.ChoiceFilter):
    """One of some words. Described here: the description would else bear the model's label, in some language."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        known = list(words)
        super().__init__(choices=[(word, word) for word in known], **kwargs)
        extend_schema_field(_described(known, **kwargs))(self)


class WordsFilter(django_filters.MultipleChoiceFilter):
    """Some of some words, the parameter repeated."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        known = list(words)
        super().__init__(choices=[(word, word) for word in known], **kwargs)
        extend_schema_field(_described(known, **kwargs))(self)


class MomentField(IsoDateTimeField):
    """In UTC: PostgreSQL refuses an offset of 16 hours and more, which Python takes."""

    def clean(self, value: Any) -> Any:
        """The moment, or a ValidationError where UTC has no such date."""
        moment = super().clean(value)
        try:
            return moment.astimezone(UTC) if moment is not None else None
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(IsoDateTimeFilter):
    """A moment, ISO 8601."""

    field_class = MomentField


class RecoveryFilter(FilterSet):
    """All of them narrow; `state` may be repeated."""

    state = WordsFilter([state.value for state in State], help_text="May be repeated.")
    outcome = WordFilter([word.value for word in Outcome])
    live = WordFilter(["true", "false"], method="filter_live", help_text="true: not ended.")
    profile = django_filters.CharFilter(field_name="profile_name", help_text="Its name when it was filed.")
    gateway = django_filters.CharFilter(field_name="gateway__name")
    requestedBy = django_filters.CharFilter(field_name="requester_label")
    jarPath = django_filters.CharFilter(field_name="jar_path", lookup_expr="icontains", help_text="A part of it.")
    batchName = django_filters.CharFilter(field_name="batch_name")
    appId = django_filters.CharFilter(field_name="app_id")
    resubmissionOf = WholeNumberFilter(field_name="resubmission_of_id", min_value=1, max_value=2**63 - 1)
    createdAfter = MomentFilter(field_name="created_at", lookup_expr="gte", help_text="ISO 8601; inclusive.")
    createdBefore = MomentFilter(field_name="created_at", lookup_expr="lt", help_text="ISO 8601; exclusive.")
    search = django_filters.CharFilter(
        method="filter_search",
        help_text="Words, each in jarPath, jarArgs, batchName, appId, reason or requestedBy.",
    )

    def filter_live(self, rows: RecoveryQuerySet, name: str, value: str) -> RecoveryQuerySet:
        """Not ended, or ended."""
        return rows.filter(state__in=LIVE) if value == "true" else rows.exclude(state__in=LIVE)

    def filter_search(self, rows: RecoveryQuerySet, name: str, value: str) -> RecoveryQuerySet:
        """Each word somewhere."""
        for word in value.split():
            anywhere = Q()
            for column in SEARCHED:
                anywhere |= Q(**{f"{column}__icontains": word})
            rows = rows.filter(anywhere)
        return rows
