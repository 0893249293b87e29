"""Shapes only: what comes in is read strictly (nothing is coerced, nothing unknown is passed over), what goes out is
named as in the guide and in Livy. No decisions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from recovery.conf import conf_scalar
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.payload import WIRE_NAMES
from recovery.domain.states import Settlement
from recovery.services.filing import MAX_REASON
from recovery.services.linking import MAX_WANTED
from recovery.services.profiles import OVERRIDES

OVERRIDE_NAMES: Final = {WIRE_NAMES[attribute]: attribute for attribute in OVERRIDES}
"""Livy's name → attribute of the payload, for what a request may set over its profile."""


class _Strict(serializers.Field[Any, Any, Any, Any]):
    """A field of the input; `expected` says in words what it takes."""

    expected: Any = ""

    def refuse(self, code: str = "wrong_type", **params: object) -> NoReturn:
        """This field has this problem."""
        raise InvalidInput(
            [Problem(field=str(self.field_name), code=code, params={"expected": self.expected, **params})]
        )

    def storable(self, text: str) -> str:
        """A text that can be stored: UTF-8, without NUL."""
        if "\0" in text:
            self.refuse("nul", position=text.index("\0") + 1)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self.refuse("not_unicode", position=error.start + 1)
        return text


class Text(_Strict, serializers.CharField):
    """A JSON string, kept to the last blank."""

    expected = _("a text")

    def to_internal_value(self, data: Any) -> str:
        """As it was sent."""
        if not isinstance(data, str):
            self.refuse()
        if self.max_length is not None and len(data) > self.max_length:
            self.refuse("too_long", limit=self.max_length)
        return self.storable(data)


class TextOrNull(Text):
    """The same, or null."""

    expected = _("a text or null")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """As it was sent."""
        return None if data is None else super().to_internal_value(data)


class Reason(Text):
    """Why, for the history."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_REASON, help_text="Why, for the history.", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """A needed reason is not blank."""
        text = super().to_internal_value(data)
        if self.required and not text.strip():
            self.refuse("required")
        return text


class WholeNumber(_Strict, serializers.IntegerField):
    """A JSON integer; no text, no 2.0, no true."""

    expected = _("a whole number")

    def to_internal_value(self, data: Any) -> int:
        """As it was sent."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.refuse()
        return data


class NumberOrNull(WholeNumber):
    """The same, or null."""

    expected = _("a whole number or null")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """As it was sent."""
        return None if data is None else super().to_internal_value(data)


class YesOrNo(_Strict, serializers.BooleanField):
    """A JSON true or false."""

    expected = _("true or false")

    def to_internal_value(self, data: Any) -> bool:
        """As it was sent."""
        if not isinstance(data, bool):
            self.refuse()
        return data


class Texts(_Strict, serializers.ListField):
    """A JSON array of strings."""

    expected = _("a list of texts")
    child = serializers.CharField()

    def to_internal_value(self, data: Any) -> list[str]:
        """As it was sent."""
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.refuse()
        return [self.storable(item) for item in data]


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
    }
)
class Conf(_Strict, serializers.DictField):
    """A JSON object of scalars, made strings as Livy would."""

    expected = _("an object")

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Strings by key."""
        if not isinstance(data, dict):
            self.refuse()
        for key, item in data.items():
            if item is None or isinstance(item, (dict, list)):
                self.refuse("conf_scalar", key=key)
        return {self.storable(key): self.storable(conf_scalar(item)) for key, item in data.items()}


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
class Arguments(_Strict):
    """`jarArgs`: as typed, or a list that is passed as it is. What is in them is the service's to judge."""

    expected = _("a text or a list of texts")

    def to_internal_value(self, data: Any) -> str | list[str]:
        """As it was sent."""
        if isinstance(data, str) or (isinstance(data, list) and all(isinstance(item, str) for item in data)):
            return data
        self.refuse()


class SettledAs(_Strict, serializers.ChoiceField):
    """What a person may decide without a second look; a link has a door of its own."""

    WORDS: Final = (Settlement.SUCCEEDED, Settlement.FAILED, Settlement.NEVER_RAN)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[word.value for word in self.WORDS], **kwargs)

    def to_internal_value(self, data: Any) -> Settlement:
        """The decision."""
        self.expected = ", ".join(self.WORDS)
        if not isinstance(data, str) or data not in self.WORDS:
            self.refuse()
        return Settlement(data)


class Body(serializers.Serializer[Any]):
    """A JSON object with these fields and no others; every problem is told at once."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The fields that were sent. Raises InvalidInput."""
        return cls().to_internal_value(request.data)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The fields that are in `data`."""
        if not isinstance(data, Mapping):
            raise InvalidInput([Problem(field="body", code="wrong_type", params={"expected": _("an object")})])
        problems = [Problem(field=name, code="unknown_field") for name in data if name not in self.fields]
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name not in data:
                if field.required:
                    problems.append(Problem(field=name, code="required"))
                continue
            try:
                values[name] = field.to_internal_value(data[name])
            except InvalidInput as error:
                problems += error.problems
        if problems:
            raise InvalidInput(problems)
        return values


class ExecuteJarBody(Body):
    """The guide's body."""

    jarPath = Text(max_length=1000, help_text="Absolute URI of the jar, such as hdfs:///user/sddesigner/recovery.jar.")
    jarArgs = Arguments(
        required=False,
        help_text="A text, read by the profile's arguments mode; or a list, passed as it is. Left out: no arguments.",
    )
    profile = Text(
        required=False,
        max_length=60,
        help_text="Left out: the profile kept by .env, or the only one that you may use.",
    )
    reason = Reason(required=False)


class RecoveryBody(ExecuteJarBody):
    """The same, with Livy's fields over the profile's."""

    className = Text(required=False, max_length=300)
    queue = Text(required=False, max_length=150)
    proxyUser = Text(required=False, max_length=150)
    driverMemory = Text(required=False, max_length=20, help_text="Such as 4g.")
    driverCores = WholeNumber(required=False, min_value=1)
    executorMemory = Text(required=False, max_length=20, help_text="Such as 4g.")
    executorCores = WholeNumber(required=False, min_value=1)
    numExecutors = WholeNumber(required=False, min_value=1)
    jars = Texts(required=False)
    files = Texts(required=False)
    pyFiles = Texts(required=False)
    archives = Texts(required=False)
    conf = Conf(required=False, help_text="Replaces the profile's conf.")


class CreateBody(RecoveryBody):
    """And whether somebody has looked at the preflight."""

    confirm = YesOrNo(
        required=False,
        help_text="Left out or true: amber findings of the preflight are noted. false: they stop the filing (422), "
        "as red ones always do.",
    )


class ResubmitBody(RecoveryBody):
    """What is to differ; nothing: as it was."""

    jarPath = Text(required=False, max_length=1000)
    jarArgs = Arguments(required=False)
    profile = Text(required=False, max_length=60, help_text="Brings the values that this profile has today.")


class CancelBody(Body):
    """Nothing is needed."""

    reason = Reason(required=False)


class SettleBody(Body):
    """The decision and why."""

    settledAs = SettledAs()
    reason = Reason()


class LinkBody(Body):
    """The batch that was looked at, as it was shown."""

    batch = Text(max_length=MAX_WANTED, help_text="As it was asked for when it was looked at.")
    name = TextOrNull(max_length=1000, help_text="As it was shown; null for a batch without a name.")
    batchId = NumberOrNull(help_text="As it was shown; null for an application of YARN.")
    appId = TextOrNull(required=False, max_length=100, help_text="As it was shown.")
    reason = Reason()


class AcknowledgeBody(Body):
    """What was done about it."""

    reason = Reason()
