"""The environment that an alert is about, in three words everybody means the same by. Pure (mission 5.2)."""

from collections.abc import Iterable, Mapping

from sev1.catalog.matchers import Matcher

LABELS = ("env", "environment", "deployment_environment")
"""The first of these that is there counts."""
SAME: dict[str, str] = {
    **dict.fromkeys(("prod", "prd", "production", "live"), "prod"),
    **dict.fromkeys(("staging", "stage", "stg", "preprod", "pre-prod", "uat"), "staging"),
    **dict.fromkeys(("dev", "development", "test", "testing", "sandbox", "local"), "dev"),
}


def environment(labels: Mapping[str, str]) -> str:
    """`prod`, `staging` or `dev`; another word as it was sent, in lower case; "" when none is named."""
    word = next((labels[name] for name in LABELS if labels.get(name)), "").strip().lower()
    return SAME.get(word, word)


def routed_by(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether a route's matchers hold. `env` is compared as it was sent and normalised: one of the two has to be
    equal, and for `!=` and `!~` neither may be.
    """
    normal: Mapping[str, str] | None = None
    for matcher in matchers:
        fits = matcher.matches(labels)
        if matcher.name == "env":
            if normal is None:
                normal = {"env": environment(labels)}
            other = matcher.matches(normal)
            fits = fits or other if matcher.op in {"=", "=~"} else fits and other
        if not fits:
            return False
    return True
