"""Remarks about a Spark configuration while somebody types it: slips, never refusals."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.http import HttpRequest, JsonResponse

from recovery import wording
from recovery.admin.base import require
from recovery.admin.lines import PairsField
from recovery.domain.spark_conf import conf_remarks


def sentences_of(conf: Mapping[str, str]) -> list[str]:
    """What may be a slip in it."""
    return [wording.sentence(problem) for problem in conf_remarks(conf)]


def remarks_view(request: HttpRequest) -> JsonResponse:
    """Of what is typed so far; of what cannot be read yet, nothing: saving says why."""
    require(request, "recovery.add_livyprofile", "recovery.change_livyprofile")
    try:
        conf = PairsField(required=False).clean(request.POST.get("conf", ""))
    except forms.ValidationError:
        conf = {}
    return JsonResponse({"remarks": sentences_of(conf)})
