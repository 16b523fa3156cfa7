"""How people are called: which words of a text are somebody. Pure."""

import re

from sev1.catalog.model import Catalog

_GIVEN = """
Adam Ahmed Aisha Alan Alex Alice Amir Amy Ana Anders Andrea Andrew Anna Anne Arjun Ben Bob Brian Carl Carlos Carol
Charlotte Chen Chris Clara Daniel Dave David Diego Dmitri Elena Emily Emma Eric Erik Eva Fatima Felix Fiona Frank
Fred George Greg Hannah Hans Helen Henry Ingrid Ivan Jack James Jan Jane Jason Jeff Jen Jim Joe Johannes John Jonas
Jose Julia Karen Kate Kevin Kim Klaus Lars Laura Leo Lena Linda Lisa Lucas Lucy Luis Maria Marie Mario Martin Mary
Matt Max Mehmet Mei Michael Mike Mohamed Nadia Nick Nina Olga Oliver Omar Oscar Paul Peter Petra Phil Pierre Priya
Rachel Raj Ravi Rob Robert Sam Sandra Sara Sarah Sofia Stefan Steve Sven Thomas Tim Tina Tom Tony Uwe Vera Victor
Wei Will Yuki Yusuf Zoe
"""
GIVEN = tuple(_GIVEN.split())
"""Common given names: text names people whom the catalog does not know. None that is also a word of the trade."""

ROLES = (
    r"(?:the|our|a|an|some|that|this)\s{1,3}(?:[\w'’-]{1,20}\s{1,3}){0,2}"
    r"(?:developers?|devs?|engineers?|operators?|admins?|sysadmins?|dbas?|interns?|responders?|contractors?|managers?|"
    r"testers?|guys?|folks|person|people|colleagues?|commander|scribe|reviewers?|authors?|agents?|consultants?|hires?|teams?)"
    r"(?:\s{1,3}(?:from|in|of|at)\s{1,3}(?:the\s{1,3}|our\s{1,3}|this\s{1,3})?\w{1,20})?"
)
"""People by what they do: `the on-call engineer`, `the payments team`."""
SOMEBODY = r"(?:somebody|someone|whoever|anybody|nobody\s{1,3}(?=bothered|cared)|he|she|they|you|we|i|who)"


def people_of(catalog: Catalog) -> frozenset[str]:
    """Full names, and first names that stand for one, of the people of the catalog."""
    full = [person.full_name for person in catalog.people.values()]
    return frozenset(full) | {name.split()[0] for name in full if name.split()}


def pattern(people: frozenset[str]) -> str:
    """A regular expression for anybody: a name, a role, or a pronoun. Each repetition in it is bounded."""
    names = {*GIVEN, *people}
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name.strip())
    return rf"(?:@?(?-i:{words})|{ROLES}|{SOMEBODY})"
