"""Regions that have public holidays: a country or a part of one, by ISO 3166."""

import functools


@functools.lru_cache(maxsize=256)
def is_region(region: str) -> bool:
    """Whether the public holidays of `DE` or `DE-BY` are known."""
    import holidays  # noqa: PLC0415 - most catalogs name a few regions, and most commands none

    country, _, part = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=True)
    return country in known and (not part or part in known[country])
