"""Every text about the domain's words, once, translatable: labels, problems, history."""

from recovery.wording.configuration import EXPECTED, expected
from recovery.wording.connection import FOUND, WHY, found_text, why_text
from recovery.wording.history import (
    CAUSES,
    EVENTS,
    FACTS,
    Told,
    cause_text,
    event_text,
    fact_name,
    fact_text,
    tell,
)
from recovery.wording.labels import GROUPS, LABELS, Text, group_name, label
from recovery.wording.notice import Notice, mail
from recovery.wording.preflight import ABOUT_A_RECOVERY, CHECKS, check_text, check_when, stopping
from recovery.wording.problems import PROBLEMS, sentence, sentences
from recovery.wording.spark_conf import KINDS, SETTINGS, hint

__all__ = [
    "ABOUT_A_RECOVERY",
    "CAUSES",
    "CHECKS",
    "EVENTS",
    "EXPECTED",
    "FACTS",
    "FOUND",
    "GROUPS",
    "KINDS",
    "LABELS",
    "PROBLEMS",
    "SETTINGS",
    "WHY",
    "Notice",
    "Text",
    "Told",
    "cause_text",
    "check_text",
    "check_when",
    "event_text",
    "expected",
    "fact_name",
    "fact_text",
    "found_text",
    "group_name",
    "hint",
    "label",
    "mail",
    "sentence",
    "sentences",
    "stopping",
    "tell",
    "why_text",
]
