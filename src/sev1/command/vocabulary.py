"""One lifecycle in three vocabularies: what SRE, ITIL and NIST SP 800-61 call the stage (book ch. 1; mission 1.6). Pure."""

from msgspec import Struct

from sev1.command.model import Stage


class InOtherWords(Struct, frozen=True, kw_only=True):
    sre: str
    itil: str
    nist: str


_DETECTION, _CONTAINMENT = "Detection and Analysis", "Containment, Eradication and Recovery"

WORDS: dict[Stage, InOtherWords] = {
    "detection": InOtherWords(sre="Detect", itil="Detection and logging", nist=_DETECTION),
    "triage": InOtherWords(sre="Triage", itil="Categorisation and prioritisation", nist=_DETECTION),
    "investigation": InOtherWords(sre="Triage", itil="Diagnosis", nist=_DETECTION),
    "mitigation": InOtherWords(sre="Mitigate", itil="Resolution, by a workaround", nist=f"{_CONTAINMENT}: containment"),
    "resolution": InOtherWords(sre="Resolve", itil="Resolution", nist=f"{_CONTAINMENT}: eradication"),
    "recovery": InOtherWords(sre="Resolve", itil="Recovery", nist=f"{_CONTAINMENT}: recovery"),
    "analysis": InOtherWords(sre="Review", itil="Closure", nist="Post-Incident Activity"),
}
"""Preparation, the first phase of NIST, is before an incident: the catalog."""


def in_other_words(stage: Stage) -> InOtherWords:
    return WORDS[stage]
