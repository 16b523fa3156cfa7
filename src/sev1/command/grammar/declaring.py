"""`/declare TITLE [sev 2] [on SERVICE] [@COMMANDER] [restricted]`: an incident in one line, before there is one. Pure (mission 1.1)."""

import difflib
import re
from collections.abc import Mapping

from sev1.command import model as m
from sev1.command.grammar.fields import needed
from sev1.command.grammar.reading import LINE_MAX, Rest, Speaker
from sev1.engine.errors import Invalid

USAGE = "/declare TITLE [sev 0–5] [on SERVICE] [@PERSON] [restricted]"
EXAMPLE = "/declare Card payments fail sev 2 on checkout"
TITLE_MAX = 300
_PREFIX = re.compile(r"^/?declare\b[\s:]*", re.IGNORECASE)
_SEVERITY = re.compile(r"(?:^|[\s,;])sev[- ]?([0-5])[.!]?$", re.IGNORECASE)
_RESTRICTED = re.compile(r"(?:^|[\s,;])restricted[.!]?$", re.IGNORECASE)
_SERVICE = re.compile(r"(?:^|[\s,;])on\s+([\w.-]+(?:\s*,\s*[\w.-]+)*)[.!]?$", re.IGNORECASE)


def is_declaration(line: str) -> bool:
    return bool(re.match(r"^/declare\b", line.strip(), re.IGNORECASE))


def declaration(line: str, speaker: Speaker, services: Mapping[str, str]) -> m.Declare:
    """The incident that `line` declares; `services` are the catalog's, name -> title.

    What follows the title may stand in any order. A word after `on` that is no service stays part of the title, unless it
    is nearly one. Raises Invalid with how such a line is written.
    """
    text = _PREFIX.sub("", line.strip())
    if len(text) > LINE_MAX:
        raise Invalid(f"The line is longer than {LINE_MAX:,} characters. One line of a title is enough: {EXAMPLE}")
    rest = Rest(text, speaker)
    severity: str | None = None
    restricted = False
    named: tuple[str, ...] = ()
    commander = rest.take_person()
    for _ in range(4):
        if severity is None and (found := _SEVERITY.search(rest.text)):
            severity = f"sev-{found[1]}"
        elif not restricted and (found := _RESTRICTED.search(rest.text)):
            restricted = True
        elif not named and (found := _SERVICE.search(rest.text)) and (named := _services(found[1], services)):
            pass
        else:
            break
        rest.text = rest.text[: found.start()].strip(" ,;")
    title = needed(" ".join(rest.take_all().split()), f"what is wrong, in one line. For example: {EXAMPLE}")
    if len(title) > TITLE_MAX:
        raise Invalid(f"The title is longer than {TITLE_MAX} characters. Say it in one line; the rest can be a note.")
    return m.Declare(title=title, severity=severity, services=named, commander=commander, restricted=restricted)


def _services(words: str, services: Mapping[str, str]) -> tuple[str, ...]:
    """The services that are named; nothing when the words are none. Raises Invalid for what is nearly one."""
    by_word = {name.casefold(): name for name in services} | {
        title.casefold(): name for name, title in services.items()
    }
    wanted = [word.strip().casefold() for word in words.split(",")]
    found = [by_word[word] for word in wanted if word in by_word]
    if len(found) == len(wanted):
        return tuple(dict.fromkeys(found))
    unknown = next(word for word in wanted if word not in by_word)
    near = difflib.get_close_matches(unknown, list(by_word), n=1, cutoff=0.75)
    if near or found:
        guess = f" Did you mean {by_word[near[0]]}?" if near else ""
        raise Invalid(f"The catalog has no service {unknown!r}.{guess}", field="services")
    return ()
