"""Who commands, and what is under way about it, as the incident's page says it to whoever looks. Pure (missions 8.1, 10.2)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.board_view import Line
from sev1.surfaces.web.moments import clock


class CommandView(Struct, frozen=True, kw_only=True):
    sentence: str = ""
    """What is under way; empty while somebody commands and nothing is."""
    warns: bool = False
    offered_to_me: bool = False
    lines: tuple[Line, ...] = ()
    """What may be said about it, by whoever looks."""


def command_view(incident: m.Incident, catalog: Catalog, me: str, now: datetime) -> CommandView:
    if not incident.is_open:
        return CommandView()
    commander = name_of(catalog, incident.commander)
    if incident.reach.unreachable_since:
        asked = ", ".join(name_of(catalog, name) for name in incident.reach.offered)
        sentence = f"{commander} commands and does not answer." + (f" Asked to take over: {asked}." if asked else "")
        return CommandView(sentence=sentence, warns=True, lines=(_line("take command", "/takeover because "),))
    if (offer := incident.handover.offer) is not None:
        if offer.person == me:
            by = name_of(catalog, offer.by)
            return CommandView(
                sentence=f"{by} offers you command, until {clock(offer.until, now)}.", offered_to_me=True
            )
        sentence = (
            f"Command is offered to {name_of(catalog, offer.person)} until {clock(offer.until, now)}. "
            f"{'You command' if me == incident.commander else f'{commander} commands'} until it is read back."
        )
        mine = me in {offer.by, incident.commander}
        return CommandView(sentence=sentence, lines=(_line("take it back", "/handover off"),) if mine else ())
    if (call := incident.reach.call) is not None:
        sentence = f"{commander} was called {clock(call.at, now)} and has until {clock(call.answer_by, now)} to answer."
        return CommandView(sentence=sentence)
    open_one = () if incident.bridge.url else (_line("open a bridge", "/bridge https://"),)
    if me == incident.commander:
        on_purpose = (_line("I command, not only for now", "/role ic @me"),) if incident.commander_is_temporary else ()
        return CommandView(lines=(_line("hand over", "/handover @"), *on_purpose, *open_one))
    return CommandView(lines=(_line(f"{commander} does not answer?", "/call-ic "), *open_one))


def _line(label: str, line: str) -> Line:
    return Line(label=label, line=line)
