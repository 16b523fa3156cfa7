"""The web server of a node: the framework for people and the API, the bare fast lane of intake in front of it."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, cast

import asyncpg
import uvicorn
from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sev1 import __version__
from sev1.access.declare import AS_IS, check_every_route_declares, public
from sev1.access.routes import ROUTES as ACCESS_ROUTES
from sev1.access.web import Gate, SignInFirst, add_security_headers, lead_to_sign_in
from sev1.app import Node
from sev1.engine.errors import Sev1Error
from sev1.intake.asgi import App, IntakeApp
from sev1.intake.outside import Outside
from sev1.intake.sns_signature import AmazonSns
from sev1.surfaces import alertmanager, heartbeat, opsgenie, system, twilio
from sev1.surfaces.api import ROUTES as API_ROUTES
from sev1.surfaces.errors import (
    handle_bad_value,
    handle_http_error,
    handle_sev1_error,
    handle_unexpected,
    refuse_nul,
)
from sev1.surfaces.injected import PROVIDE_SIGHT
from sev1.surfaces.web import ROUTES as WEB_ROUTES
from sev1.surfaces.web import TEMPLATES, configure_templates
from sev1.triage import names

GRACE_S = 3
"""For open requests when the server stops. Streams end by themselves at once: they listen to `stopping`."""


def make_app(node: Node) -> Litestar:
    """The framework's part: every page and every API route of this node."""
    gate = Gate(node.db, node.clock, public_url=node.settings.url, secret=node.secret)
    app = Litestar(
        route_handlers=[
            *system.ROUTES,
            *ACCESS_ROUTES,
            *API_ROUTES,
            *alertmanager.ROUTES,
            *heartbeat.ROUTES,
            *opsgenie.ROUTES,
            *twilio.ROUTES,
            *WEB_ROUTES,
        ],
        dependencies=_dependencies(
            {
                "db": node.db,
                "clock": node.clock,
                "settings": node.settings,
                "commands": node.commands,
                "catalogs": node.catalogs,
                "news": node.news,
                "outlook": node.outlook,
                "replays": node.replays,
                "keyring": node.keyring,
                "stopping": node.stopping,
                "inbox": node.inbox,
                "server_secret": node.secret,
                "presence": node.presence,
                "watches": node.watches,
            }
        )
        | PROVIDE_SIGHT,
        middleware=[gate.authentication],
        guards=[gate.guard],
        before_request=refuse_nul,
        before_send=[add_security_headers],
        exception_handlers={
            SignInFirst: lead_to_sign_in,
            Sev1Error: handle_sev1_error,
            HTTPException: handle_http_error,
            asyncpg.DataError: handle_bad_value,
            OverflowError: handle_bad_value,
            Exception: handle_unexpected,
        },
        template_config=TemplateConfig(
            directory=TEMPLATES, engine=JinjaTemplateEngine, engine_callback=configure_templates
        ),
        openapi_config=OpenAPIConfig(
            title="sev1",
            version=__version__,
            description="Incidents from the first signal to the review. Changes are commands: their `type` says what.",
            openapi_router=Router(path="/api", route_handlers=[], opt=public(), include_in_schema=False),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=Components(
                security_schemes={
                    "token": SecurityScheme(type="http", scheme="bearer", description="`sev1 token create`")
                }
            ),
            security=[{"token": []}],
        ),
        # Pages are read on phones in bad networks. The level is where a millisecond still buys something.
        compression_config=CompressionConfig("gzip", minimum_size=1000, gzip_compress_level=5, exclude_opt_key=AS_IS),
        request_max_body_size=1024 * 1024,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    check_every_route_declares(app)
    return app


def _dependencies(values: Mapping[str, Any]) -> dict[str, Provide]:
    def provide(value: Any) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return {name: provide(value) for name, value in values.items()}


def make_asgi(node: Node, app: Litestar | None = None) -> Any:
    """The whole server: intake's hot endpoints first, everything else through the framework (`app`, if it is made already)."""
    return IntakeApp(
        # Who is asking matters to the sign-in, not to intake, whose senders show a key.
        cast("App", ProxyHeadersMiddleware(cast("Any", app or make_app(node)), node.settings.trusted_proxies)),
        inbox=node.inbox,
        keys=node.keyring,
        settings=node.settings,
        clock=node.clock,
        db=node.db,
        lookout=node.lookout,
        map_=node.mapper,
        outside=Outside(
            now=node.clock.now,
            find_alert=names.finder(node.db),
            sns=AmazonSns(node.fetch, node.clock.now),
        ),
    )


class Server(uvicorn.Server):
    """uvicorn, which says when it is up, and at the first signal that it stops, so that streams end by themselves."""

    def __init__(self, config: uvicorn.Config, *, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes SIGINT and SIGTERM, for good: uvicorn would pass the signal on when *it* has stopped, which for SIGTERM
        ends the process before the node has stopped and PostgreSQL with it.
        """
        if threading.current_thread() is threading.main_thread():  # elsewhere Python takes no signals
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        super().handle_exit(sig, frame)


async def serve(node: Node, ready: asyncio.Event) -> None:
    """Serves until SIGINT or SIGTERM. Sets `ready` when the port is open. Raises SystemExit when it cannot be."""
    config = uvicorn.Config(
        make_asgi(node),
        host=node.settings.host,
        port=node.settings.port,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=75,
        backlog=4096,
    )
    await Server(config, ready=ready, stopping=node.stopping).serve()
