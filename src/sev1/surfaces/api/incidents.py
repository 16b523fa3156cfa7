"""`/api/v1/incidents`: declare, read, command. Changes are commands; the answer is the state after them."""

from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, structs

from sev1.access.declare import needs
from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command import say, store
from sev1.command.active import ActiveIncident, active_incidents
from sev1.command.advice import Advice
from sev1.command.duties import DUTIES
from sev1.command.grammar.declaring import USAGE, declaration, is_declaration
from sev1.command.grammar.parse import usage
from sev1.command.grammar.reading import LINE_MAX
from sev1.command.grammar.verbs import VERBS
from sev1.command.react import PrepareIncident, declare
from sev1.command.sight import Sight, must_see, unknown
from sev1.command.similar import Similar
from sev1.command.suspects import suspects
from sev1.command.timeline import Entry, render
from sev1.command.vocabulary import WORDS, InOtherWords
from sev1.engine.commands import Change, Commands
from sev1.engine.errors import Invalid
from sev1.engine.settings import Settings
from sev1.review.postmortem import draft
from sev1.surfaces.actor import actor_of, name_of
from sev1.surfaces.api.views import Changed, Declared, IncidentView, incident_view
from sev1.surfaces.doing import do
from sev1.surfaces.injected import Catalogs, Config, Db, Doing, Looks, Now, SignedIn
from sev1.surfaces.said import warnings

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**62)]


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    line: Annotated[str, Meta(max_length=LINE_MAX)]
    """As it is typed into the bar: `/task @bo measure the lag by 14:30`; without a slash it is a note."""


class VerbView(Struct, frozen=True, kw_only=True):
    name: str
    group: str
    usage: str
    does: str
    example: str
    also: tuple[str, ...]


class ActiveView(ActiveIncident, frozen=True, kw_only=True):
    url: str
    update_late: bool
    """Whether the next update should have been said by now."""


class RoleView(Struct, frozen=True, kw_only=True):
    role: str
    title: str
    several: bool
    """Whether several people may hold it at once."""
    duties: tuple[str, ...]


class StageView(Struct, frozen=True, kw_only=True):
    stage: str
    title: str
    in_other_words: InOtherWords


@get("/api/v1/incidents", opt=needs("read"), tags=["incidents"])
async def list_incidents(
    db: Db,
    catalogs: Catalogs,
    settings: Config,
    clock: Now,
    sight: Looks,
    limit: Limit = 50,
    before: Before = None,
) -> list[IncidentView]:
    """The latest incidents, newest first; `before` is the number of the last one seen."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        rows = await store.recent_with_version(conn, sight, limit=limit, before=before)
    now = clock.now()
    return [incident_view(incident, version, catalog, settings.url, now=now) for incident, version in rows]


@get("/api/v1/incidents/active", opt=needs("read"), tags=["incidents"])
async def list_active(db: Db, settings: Config, clock: Now, sight: Looks) -> list[ActiveView]:
    """All that are not over, as the screen on the wall shows them: late updates first, then the worst, then the oldest."""
    now = clock.now()
    async with db.connection() as conn:
        found = await active_incidents(conn, sight, now)
    return [
        ActiveView(**structs.asdict(one), url=f"{settings.url}/incidents/{one.id}", update_late=one.is_late(now))
        for one in found
    ]


@post("/api/v1/incidents", opt=needs("report"), tags=["incidents"])
async def declare_incident(
    data: JSONBody[m.Declare],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    settings: Config,
    sight: Looks,
) -> Declared:
    """Declares an incident; anyone signed in may (mission 1.1). `{"type": "declare", "title": "…"}` is enough."""
    return await _declare(data, request, commands, catalogs, settings, sight)


async def _declare(
    data: m.Declare, request: SignedIn, commands: Commands, catalogs: CatalogCache, settings: Settings, sight: Sight
) -> Declared:
    async with commands.db.transaction() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        commands_it = request.user.kind == "user" and request.user.may("incidents:write")
        change = await declare(commands, conn, catalogs, data, by=by, commands_it=commands_it)
        alike = await suspects(
            conn,
            catalog,
            sight,
            title=data.title,
            services=change.after.services,
            alerts=data.alerts,
            page=data.page,
            but=change.key,
        )
    commands.tell(change)
    view = incident_view(change.after, change.version, catalog, settings.url, now=change.now)
    return Declared(**structs.asdict(view), warnings=warnings(data, catalog), similar=alike)


@post("/api/v1/lines", opt=needs("report"), tags=["incidents"])
async def say_anywhere(
    data: JSONBody[Said],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    clock: Now,
    settings: Config,
    sight: Looks,
) -> Declared:
    """Declares by a line, where there is no incident yet: `/declare Card payments fail sev 2 on checkout`."""
    if not is_declaration(data.line):
        raise Invalid(f"Outside of an incident a line declares one: {USAGE}", field="line")
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
    here = say.speaker(catalog, None, actor_of(request.user, catalog, "api"), clock.now())
    wanted = declaration(data.line, here, {name: one.title for name, one in catalog.services.items()})
    return await _declare(wanted, request, commands, catalogs, settings, sight)


@get("/api/v1/incidents/similar", opt=needs("read"), tags=["incidents"])
async def list_similar(
    db: Db,
    catalogs: Catalogs,
    sight: Looks,
    title: Annotated[str, QueryParameter(max_length=300)] = "",
    service: Annotated[list[str] | None, QueryParameter(max_items=50)] = None,
    page: Annotated[str, QueryParameter(max_length=30)] = "",
) -> list[Similar]:
    """Running incidents that one with this title, these services or this page may be the same as, with the reasons."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        return await suspects(conn, catalog, sight, title=title, services=tuple(service or ()), page=page or None)


@get("/api/v1/incidents/{key:str}", opt=needs("read"), tags=["incidents"])
async def get_incident(
    key: FromPath[str], db: Db, catalogs: Catalogs, settings: Config, clock: Now, sight: Looks
) -> IncidentView:
    """A restricted incident that is not theirs is answered as one that does not exist; so is all that follows."""
    async with db.connection() as conn:
        found = await store.get_with_version(conn, key)
        catalog = await catalogs.current(conn)
    if found is None or not sight.sees(found[0]):
        raise unknown(key)
    return incident_view(*found, catalog, settings.url, now=clock.now())


@get("/api/v1/incidents/{key:str}/timeline", opt=needs("read"), tags=["incidents"])
async def get_timeline(
    key: FromPath[str],
    commands: Doing,
    catalogs: Catalogs,
    sight: Looks,
    after: Annotated[int, QueryParameter(ge=0, le=2**31 - 1)] = 0,
) -> list[Entry]:
    """The timeline, oldest first; `after` is the last version seen."""
    async with commands.db.connection() as conn:
        state, facts = await commands.load(conn, "incident", key)
        catalog = await catalogs.current(conn)
    if state.status == "none" or not sight.sees(state):
        raise unknown(key)
    wanted = (fact for fact in facts if fact.version > after)
    return render(wanted, lambda who: name_of(catalog, who), state.entries)


@post("/api/v1/incidents/{key:str}/commands", status_code=200, opt=needs("incidents:write"), tags=["incidents"])
async def command_incident(
    key: FromPath[str],
    data: JSONBody[m.ResponderCommand],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    settings: Config,
    sight: Looks,
) -> Changed:
    """Does one thing: the `type` says what. What is so already changes nothing and is no error."""
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
        await must_see(conn, sight, key)
    by = actor_of(request.user, catalog, "api")
    change, advice = await do(commands, catalog, settings.url, key, data, by=by)
    return _changed(change, advice, data, catalog, settings.url)


@post("/api/v1/incidents/{key:str}/lines", status_code=200, opt=needs("incidents:write"), tags=["incidents"])
async def say_line(
    key: FromPath[str],
    data: JSONBody[Said],
    request: SignedIn,
    commands: Doing,
    catalogs: Catalogs,
    clock: Now,
    settings: Config,
    sight: Looks,
) -> Changed:
    """Does what a line says, in the grammar that page and terminal use (`GET /api/v1/commands` lists it)."""
    async with commands.db.connection() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        await must_see(conn, sight, key)
        command = await say.understand(conn, catalog, key, data.line, by=by, now=clock.now())
    change, advice = await do(commands, catalog, settings.url, key, command, by=by)
    return _changed(change, advice, command, catalog, settings.url)


@get("/api/v1/incidents/{key:str}/draft", opt=needs("incidents:write"), tags=["incidents"])
async def draft_line(
    key: FromPath[str],
    request: SignedIn,
    db: Db,
    catalogs: Catalogs,
    clock: Now,
    sight: Looks,
    line: Annotated[str, QueryParameter(max_length=LINE_MAX)] = "",
) -> say.Draft:
    """How a line may go on, and what it would record if it were sent now. Nothing is written."""
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
        by = actor_of(request.user, catalog, "api")
        drafted = await say.preview(
            conn,
            PrepareIncident(catalogs, tries=True),
            catalog,
            key,
            line,
            by=by,
            now=clock.now(),
            name_of=lambda who: name_of(catalog, who),
        )
        await must_see(conn, sight, key)
    return drafted


@get("/api/v1/commands", opt=needs("read"), tags=["incidents"])
async def list_commands() -> list[VerbView]:
    """What can be said in an incident, by page, terminal and API alike."""
    return [
        VerbView(
            name=verb.name, group=verb.group, usage=usage(verb), does=verb.does, example=verb.example, also=verb.also
        )
        for verb in VERBS
    ]


@get("/api/v1/stages", opt=needs("read"), tags=["incidents"])
async def list_stages() -> list[StageView]:
    """The seven stages in their order, with what SRE, ITIL and NIST call each."""
    return [StageView(stage=stage, title=title, in_other_words=WORDS[stage]) for stage, title in m.STAGE_TITLES.items()]


@get("/api/v1/roles", opt=needs("read"), tags=["incidents"])
async def list_roles() -> list[RoleView]:
    """The roles of an incident, and what each is there for."""
    return [
        RoleView(role=role, title=title, several=role in m.MANY, duties=DUTIES[role])
        for role, title in m.ROLE_TITLES.items()
    ]


def _changed(
    change: Change[m.Incident],
    advice: list[Advice],
    command: m.ResponderCommand,
    catalog: Catalog,
    url: str,
) -> Changed:
    def named(who: str) -> str:
        return name_of(catalog, who)

    return Changed(
        incident=incident_view(change.after, change.version, catalog, url, now=change.now),
        recorded=render(change.facts, named, change.after.entries),
        advice=advice,
        warnings=warnings(command, catalog),
    )


@get("/api/v1/incidents/{key:str}/postmortem", opt=needs("read"), tags=["incidents"], media_type="text/markdown")
async def get_postmortem(key: FromPath[str], commands: Doing, catalogs: Catalogs, sight: Looks) -> Response[str]:
    """The draft of the postmortem as Markdown, with the timeline as it was recorded."""
    async with commands.db.connection() as conn:
        text = await draft(conn, commands, await catalogs.current(conn), key)
        await must_see(conn, sight, key)
    return Response(text, media_type="text/markdown")


ROUTES: list[HTTPRouteHandler] = [
    list_incidents,
    declare_incident,
    say_anywhere,
    list_similar,
    list_active,
    get_incident,
    get_timeline,
    command_incident,
    say_line,
    draft_line,
    list_commands,
    list_roles,
    list_stages,
    get_postmortem,
]
