"""What each role is there for (mission 8.1). Shown to whoever holds it; one person may hold several."""

from sev1.command.model import Role

DUTIES: dict[Role, tuple[str, ...]] = {
    "ic": (
        "Keep the overview: lead the response and leave the fixing to others.",
        "Give tasks that say who, what, and by when to report.",
        "Decide soon on what is known, and write down why.",
        "Keep the updates to every audience on time.",
        "Get more people in before they are missed; send to rest who is tired.",
        "Hand over with a briefing before you tire.",
    ),
    "ops": (
        "Lead the technical work: first stop the impact, then find the cause.",
        "One change at a time; say before what you expect of it.",
        "Report to the Incident Commander in the rhythm of the updates.",
    ),
    "comms": (
        "Post each update by the time that was promised, also when nothing is new.",
        "Say what it means for those who read it, and when they hear again.",
        "Keep questions from outside away from those who work.",
    ),
    "scribe": (
        "Write down decisions with their reasons, and what was tried, as it happens.",
        "Ask what was decided when much is said and nothing is written.",
        "Keep the board true: move guesses that are settled.",
    ),
    "sme": (
        "Find out, and say what you know apart from what you guess.",
        "Take one task at a time and report on it.",
        "Say early when you need help or somebody who knows more.",
    ),
    "support": (
        "Bring in what customers report: what they see, since when, how many.",
        "Give the support team words that they may use, from the latest update.",
    ),
    "sponsor": (
        "Approve what only you may: money, contracts, shutting something down.",
        "Hear the updates, and ask through the Incident Commander.",
    ),
    "security": (
        "Decide who may know, and admit them.",
        "Secure evidence before it is changed.",
        "Bring in those who have to be told: law, privacy, authorities.",
    ),
}
