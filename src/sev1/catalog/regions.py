"""Regions that have public holidays: a country or a part of one, by ISO 3166."""

import functools
from collections.abc import Mapping, Sequence

from sev1.catalog.problems import did_you_mean, listed


@functools.lru_cache(maxsize=256)
def is_region(region: str) -> bool:
    """Whether the public holidays of `DE` or `DE-BY` are known."""
    country, _, part = region.partition("-")
    known = _known()
    return country in known and (not part or part in known[country])


def nearest_to(region: str) -> str:
    """What to write instead, as a sentence."""
    country = region.partition("-")[0]
    known = _known()
    if country not in known:
        return (
            did_you_mean(country, known) or "Write a country, such as DE, or a part of one, such as DE-BY (ISO 3166)."
        )
    # Some parts have a name in place of a code, which a catalog cannot hold.
    parts = [f"{country}-{name}" for name in known[country] if len(name) <= 3]
    if not parts:
        return f'Write "{country}": no parts of it are known.'
    # All begin alike and are two letters long: what is nearest would be a guess.
    return f'Write "{country}" or one of {listed(parts, 20)}.'


@functools.cache
def _known() -> Mapping[str, Sequence[str]]:
    """The parts of each country that are known."""
    import holidays  # noqa: PLC0415 - most catalogs name a few regions, and most commands none

    known: Mapping[str, Sequence[str]] = holidays.list_supported_countries(include_aliases=True)
    return known
