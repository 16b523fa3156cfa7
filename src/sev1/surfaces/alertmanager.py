"""The Alertmanager API v2 as its readers expect it: amtool, karma, Grafana (`/integrations/{key}/api/v2/…`).

What Prometheus posts goes to intake and never comes here. A key sees the alerts that came through it and the silences
that were made with it, and its silences hold back only those alerts.
"""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath

from sev1 import __version__
from sev1.access.declare import with_integration_key
from sev1.access.keys import IntegrationKey
from sev1.catalog.matchers import Matcher, parse
from sev1.engine.errors import Forbidden, NotFound, Sev1Error, SignInNeeded, TooMany
from sev1.surfaces import alertmanager_wire as wire
from sev1.surfaces.injected import Catalogs, Db, Hears, Keys, Now
from sev1.triage import silences
from sev1.triage.alerts import firing_of_key
from sev1.triage.model import AlertRow

SPOKEN = "0.27.0"
"""The version whose API and matchers this is."""
KIND = "prometheus"
SHOWN_AFTER_END = timedelta(hours=120)
"""How long silences that are over are listed: Alertmanager's default retention."""
_TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
"""What Alertmanager's own framework takes for true; everything else is false."""
_loaded_at_s = time.monotonic()

Asked = Request[Any, Any, Any]
Json = Response[bytes]


@get("/api/v2/status", opt=with_integration_key(), include_in_schema=False)
async def get_status(secret: FromPath[str], db: Db, clock: Now, catalogs: Catalogs, keyring: Keys) -> Json:
    await _key(keyring, secret)
    async with db.connection() as conn:
        catalog = await catalogs.current(conn)
    up = timedelta(seconds=time.monotonic() - _loaded_at_s)
    version = {
        "version": SPOKEN,
        "revision": f"sev1-{__version__}",
        "branch": "sev1",
        "buildUser": "sev1",
        "buildDate": "",
        "goVersion": "",
    }
    return _json(
        {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": wire.config(catalog)},
            "uptime": wire.instant(clock.now() - up),
            "versionInfo": version,
        }
    )


@get("/api/v2/receivers", opt=with_integration_key(), include_in_schema=False)
async def get_receivers(secret: FromPath[str], db: Db, catalogs: Catalogs, keyring: Keys) -> Json:
    await _key(keyring, secret)
    async with db.connection() as conn:
        return _json([wire.Receiver(name) for name in wire.receivers(await catalogs.current(conn))])


@get("/api/v2/alerts", opt=with_integration_key(), include_in_schema=False)
async def get_alerts(secret: FromPath[str], request: Asked, db: Db, clock: Now, keyring: Keys) -> Json:
    key = await _key(keyring, secret)
    async with db.connection() as conn:
        found = await _alerts(conn, key, request, clock.now())
    return _json([view for _, view in sorted(found, key=lambda pair: pair[1].fingerprint)])


@get("/api/v2/alerts/groups", opt=with_integration_key(), include_in_schema=False)
async def get_alert_groups(secret: FromPath[str], request: Asked, db: Db, clock: Now, keyring: Keys) -> Json:
    key = await _key(keyring, secret)
    async with db.connection() as conn:
        found = await _alerts(conn, key, request, clock.now())
    groups: dict[tuple[tuple[tuple[str, str], ...], str], list[wire.GettableAlert]] = {}
    for row, view in found:
        labels = tuple(sorted(row.verdict.group_labels.items()))
        groups.setdefault((labels, view.receivers[0].name), []).append(view)
    return _json(
        [
            wire.AlertGroup(alerts=views, labels=dict(labels), receiver=wire.Receiver(receiver))
            for (labels, receiver), views in sorted(groups.items(), key=lambda item: item[0])
        ]
    )


@get("/api/v2/silences", opt=with_integration_key(), include_in_schema=False)
async def get_silences(secret: FromPath[str], request: Asked, db: Db, clock: Now, keyring: Keys) -> Json:
    key = await _key(keyring, secret)
    wanted = _matchers(request)
    now = clock.now()
    async with db.connection() as conn:
        found = await silences.list_all(conn, now, key_id=key.id, ended_after=now - SHOWN_AFTER_END)
    # A silence is asked for by the matchers that it has, not by what they would match.
    return _json([wire.silence_view(one, now) for one in found if all(matcher in one.matchers for matcher in wanted)])


@post("/api/v2/silences", opt=with_integration_key(), include_in_schema=False, status_code=200)
async def post_silence(secret: FromPath[str], request: Asked, db: Db, clock: Now, keyring: Keys, news: Hears) -> Json:
    key = await _key(keyring, secret)
    wanted = wire.postable(await request.body())
    make = partial(silences.update, silence_id=wire.uuid_of(wanted.id, "id in body")) if wanted.id else silences.create
    async with db.transaction() as conn:
        silence = await make(
            conn,
            matchers=wire.readable(wanted.matchers or ()),
            starts_at=wire.storable(wanted.starts_at),
            ends_at=wire.storable(wanted.ends_at),
            created_by=wanted.created_by or "",
            comment=wanted.comment or "",
            now=clock.now(),
            key_id=key.id,
            actor=f"key:{key.name}",
        )
    news.tell("alerts")
    return _json({"silenceID": str(silence.id)})


@get("/api/v2/silence/{silence_id:str}", opt=with_integration_key(), include_in_schema=False)
async def get_silence(secret: FromPath[str], silence_id: FromPath[str], db: Db, clock: Now, keyring: Keys) -> Json:
    key = await _key(keyring, secret)
    wanted = wire.uuid_of(silence_id)
    async with db.connection() as conn:
        found = await silences.get(conn, wanted, key_id=key.id)
    return _json(wire.silence_view(found, clock.now())) if found else Response(b"", status_code=404)


@delete("/api/v2/silence/{silence_id:str}", opt=with_integration_key(), include_in_schema=False, status_code=200)
async def delete_silence(
    secret: FromPath[str], silence_id: FromPath[str], db: Db, clock: Now, keyring: Keys, news: Hears
) -> Json:
    key = await _key(keyring, secret)
    wanted = wire.uuid_of(silence_id)
    async with db.transaction() as conn:
        await silences.expire(conn, wanted, by=f"key:{key.name}", now=clock.now(), key_id=key.id)
    news.tell("alerts")
    return Response(b"")


@get(["/-/healthy", "/-/ready"], opt=with_integration_key(), include_in_schema=False)
async def get_health(secret: FromPath[str], keyring: Keys) -> Json:
    await _key(keyring, secret)
    return Response(b"OK", media_type="text/plain; charset=utf-8")


async def _key(keyring: Keys, secret: str) -> IntegrationKey:
    """The key, if it may read here. Raises SignInNeeded, Forbidden, TooMany."""
    key = await keyring.load(secret)
    if key is None:
        raise SignInNeeded("There is no such integration key. It may have been revoked.")
    if key.kind != KIND:
        raise Forbidden(f"This key was made for {key.kind}. The Alertmanager API needs a key for {KIND}.")
    if not keyring.allows(key):
        raise TooMany("This key asks more than it may. Try again in a moment.", retry_after_s=1)
    return key


async def _alerts(
    conn: asyncpg.Connection, key: IntegrationKey, request: Asked, now: datetime
) -> list[tuple[AlertRow, wire.GettableAlert]]:
    """What fires of this key, as the query asks for it. Raises Invalid."""
    matchers = _matchers(request)
    receiver = request.query_params.get("receiver")
    only = Matcher("receiver", "=~", receiver) if receiver else None
    silenced, inhibited, active = (_flag(request, name) for name in ("silenced", "inhibited", "active"))
    rows = await firing_of_key(conn, key.id)
    in_force = await silences.in_force(conn, now)
    prints = {row.key: row.fingerprint for row in rows}
    found = []
    for row in rows:
        if not all(matcher.matches(row.labels) for matcher in matchers):
            continue
        view = wire.alert_view(row, in_force, prints, now)
        state = view.status
        if (state.silenced_by and not silenced) or (state.inhibited_by and not inhibited):
            continue
        if state.state == "active" and not active:
            continue
        if only is None or only.matches({"receiver": view.receivers[0].name}):
            found.append((row, view))
    return found


def _matchers(request: Asked) -> list[Matcher]:
    """Each `filter` holds matchers; all of them must hold. Raises Invalid."""
    return [matcher for text in request.query_params.getall("filter", []) for matcher in parse(text)]


def _flag(request: Asked, name: str) -> bool:
    value = request.query_params.get(name)
    return value is None or value.lower() in _TRUE


def _json(value: Any, status: int = 200) -> Json:
    return Response(msgspec.json.encode(value), media_type="application/json", status_code=status)


def _refuse(request: Asked, error: Sev1Error) -> Json:  # noqa: ARG001 - the signature of an exception handler
    """Alertmanager's handlers answer an error with a JSON string."""
    message = "silence not found" if isinstance(error, NotFound) else error.message
    answer = _json(message, error.status)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _refuse_malformed(request: Asked, error: wire.Malformed) -> Json:  # noqa: ARG001
    return _json({"code": error.code, "message": str(error)}, error.status)


ROUTES = [
    Router(
        path="/integrations/{secret:str}",
        route_handlers=[
            get_status,
            get_receivers,
            get_alerts,
            get_alert_groups,
            get_silences,
            post_silence,
            get_silence,
            delete_silence,
            get_health,
        ],
        exception_handlers={Sev1Error: _refuse, wire.Malformed: _refuse_malformed},
    )
]
