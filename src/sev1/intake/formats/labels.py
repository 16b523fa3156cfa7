"""What labels mean: which problem this is, and what to call it."""

from hashlib import blake2b

from sev1.intake.formats.limits import one_line


def fingerprint(labels: dict[str, str]) -> str:
    """16 hex characters that are the same for the same label set, in whatever order it was sent."""
    # NUL is replaced while reading, so it cannot occur inside a name or a value and make two sets look alike.
    text = "\0".join([f"{name}\0{value}" for name, value in sorted(labels.items())])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def present(labels: dict[str, str]) -> dict[str, str]:
    """Without the labels that have an empty value: to Alertmanager these do not exist."""
    if "" in labels.values():
        return {name: value for name, value in labels.items() if value}
    return labels


def summary(labels: dict[str, str], annotations: dict[str, str]) -> str:
    """One line that says what is wrong: what the rule's author wrote, else the name of the alert."""
    for name in ("summary", "title", "description", "message"):
        if line := one_line(annotations.get(name, "")):
            return line
    return one_line(labels.get("alertname", "")) or "An alert without a name"
