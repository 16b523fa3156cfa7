"""The words that everybody has from the start: those of the field, and those of sev1 that its pages use.

Their aliases are few and clear: a hint that is wrong teaches people to overlook hints.
"""

from sev1.catalog.term import Term, Translations


def _term(title: str, meaning: str, *aliases: str, **said: str) -> Term:
    name = title.lower().replace(" ", "-")
    return Term(name=name, title=title, meaning=meaning, aliases=aliases, translations=Translations(**said))


SHIPPED: tuple[Term, ...] = (
    _term("acknowledge", "Somebody says: I have it. The page stops asking others."),
    _term("alert", "What a monitoring system says is wrong. It fires, or it is resolved."),
    _term(
        "all-clear", "One message to everybody: it is over, and nobody needs to stand by any more.", "stand-down call"
    ),
    _term("allowlist", "What is let through; everything else is not.", "whitelist", "white list"),
    _term(
        "CAN update",
        "What everybody is told in a rhythm: condition, actions, needs.",
        "sitrep",
        business="status update",
    ),
    _term(
        "contributing factor", "One of the things without which it would not have happened. There are always several."
    ),
    _term("criterion", "One of the four things that must hold before an incident is resolved."),
    _term("decision", "What was decided, why, and what else was thought of."),
    _term("declare", "To say that this is an incident. Suspicion is enough."),
    _term("denylist", "What is kept out; everything else is let through.", "blacklist", "black list"),
    _term(
        "error budget",
        "How much may fail before reliability goes ahead of new features.",
        dev="how much may still break this month before we stop shipping features",
        business="how much failure we have agreed to accept in a month",
    ),
    _term(
        "escalation policy", "Who is asked, in which order, with how long a wait before the next.", "escalation matrix"
    ),
    _term("false alarm", "An incident that turned out to be nothing. Declaring it was right."),
    _term(
        "failover",
        "Work moves to a spare, by itself or by hand.",
        business="the switch to our spare system",
    ),
    _term("impact", "What users or the business notice."),
    _term(
        "incident", "Something that needs people to work together under command, from its declaration to its review."
    ),
    _term(
        "incident commander",
        "The one person who leads an incident and decides. Short: IC.",
        "incident manager",
        "incident lead",
        business="the person in charge of the response",
    ),
    _term("latency", "How long an answer takes.", business="waiting time"),
    _term("mitigated", "The impact has stopped or is clearly smaller; what led to it may still be there."),
    _term("near miss", "Nothing broke, but it nearly did.", "close call", "lucky escape"),
    _term("on call", "Whose turn it is to be asked first."),
    _term("page", "One run of an escalation policy for one problem. As a verb: to wake somebody."),
    _term("postmortem", "What is learnt from an incident, written down without blame.", "autopsy", "RCA"),
    _term("responder", "Somebody who works on an incident.", "firefighter"),
    _term("risk acceptance", "A risk that somebody decided to live with, until a day, with something to watch it by."),
    _term(
        "rollback",
        "Back to the version before.",
        security="return to the last version that was reviewed",
        business="return to the previous version",
    ),
    _term("runbook", "What to do when a certain thing is wrong, step by step.", "cookbook"),
    _term("service", "What can break, with an owner, what it depends on, and what users feel when it is down."),
    _term("severity", "How bad it is: SEV-0 is the worst."),
    _term("silence", "Keeps matching alerts from waking anybody until an instant, with an owner and a reason."),
    _term(
        "SLO",
        "Service level objective: how often something has to work.",
        dev="the share of requests that must succeed",
        business="the reliability we have set ourselves",
    ),
    _term("stage", "Where an incident is: from detection to analysis."),
    _term(
        "threat actor", "Whoever attacks, inside or outside.", sre="whoever causes it on purpose", business="attacker"
    ),
    _term("timeline", "What happened in an incident, in order, as it was recorded."),
    _term("triage", "To look briefly at what came in, and say how bad it is and whose."),
    _term("weak signal", "Something odd that wakes nobody and may be the first sign of something.", "gut feeling"),
    _term("workaround", "A way for users to go on while it is broken.", "band-aid"),
)
