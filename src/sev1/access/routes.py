"""Pages for getting in and out: sign-in, sign-out, the first admin's set-up, one-time links. They work without scripts.

The app provides `db`, `clock`, `settings` and `keyring` by name.
"""

from typing import Any, Protocol

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Redirect, Template

from sev1.access import links, sessions
from sev1.access.api import API_ROUTES
from sev1.access.declare import needs, public
from sev1.access.model import Principal
from sev1.access.sign_in import sign_in
from sev1.access.web import COOKIE, local_path, no_session_cookie, session_cookie
from sev1.engine.clock import Clock
from sev1.engine.database import Database
from sev1.engine.errors import Forbidden, Invalid, Refused, TooMany

FORM_BYTES = 64 * 1024


class WebSettings(Protocol):
    """What the pages need to know about the server."""

    @property
    def public_url(self) -> str: ...


Db = NamedDependency[SkipValidation[Database]]
Now = NamedDependency[SkipValidation[Clock]]
Config = NamedDependency[SkipValidation[WebSettings]]
PageRequest = Request[Principal, str, Any]


@get("/sign-in", opt=public(), include_in_schema=False)
async def show_sign_in(next: FromQuery[str] = "/") -> Template:  # noqa: A002 - the name in the address
    return _sign_in_page(next)


@post("/sign-in", opt=public(), include_in_schema=False, request_max_body_size=FORM_BYTES)
async def submit_sign_in(request: PageRequest, db: Db, clock: Now, settings: Config) -> Redirect | Template:
    """Opens a session. The one that the browser had before ends, so that nobody stays signed in unseen."""
    form = await _fields(request)
    email, wanted = form.get("email", ""), form.get("next")
    try:
        token = await sign_in(
            db,
            email=email,
            password=form.get("password", ""),
            address=request.client.host if request.client else "unknown",
            now=clock.now(),
            agent=_agent(request),
        )
    except Forbidden as error:
        # Not 401: that would have to name a scheme of HTTP authentication, and a form is none (RFC 9110, 15.5.2).
        return _sign_in_page(wanted, error=error.message, email=email, status_code=error.status)
    except TooMany as error:
        page = _sign_in_page(wanted, error=error.message, email=email, status_code=error.status)
        page.headers["Retry-After"] = str(error.retry_after_s)
        return page
    return await _signed_in(request, db, settings, token, local_path(wanted))


@post("/sign-out", opt=needs("read"), include_in_schema=False, status_code=303, request_max_body_size=FORM_BYTES)
async def submit_sign_out(request: PageRequest, db: Db, clock: Now, settings: Config) -> Redirect:
    """Ends this session, with the form field `everywhere` all of the person's sessions."""
    form = await _fields(request)
    if form.get("everywhere") and request.user.user_id is not None:
        await sessions.sign_out_everywhere(db, request.user.user_id, by=request.user, now=clock.now())
    await sessions.sign_out(db, request.cookies.get(COOKIE, ""))
    answer = Redirect("/sign-in", status_code=303)
    answer.cookies.append(no_session_cookie(settings.public_url))
    return answer


@get("/setup/{token:str}", opt=public(), include_in_schema=False)
async def show_setup(token: FromPath[str], db: Db, clock: Now) -> Template:
    await links.check_set_up_link(db, token, clock.now())
    return _setup_page(token)


@post("/setup/{token:str}", opt=public(), include_in_schema=False, request_max_body_size=FORM_BYTES)
async def submit_setup(
    request: PageRequest, token: FromPath[str], db: Db, clock: Now, settings: Config
) -> Redirect | Template:
    """Makes the first admin and signs them in."""
    form = await _fields(request)
    email, full_name = form.get("email", ""), form.get("full_name", "")
    try:
        session = await links.complete_set_up(
            db,
            token,
            email=email,
            full_name=full_name,
            password=form.get("password", ""),
            now=clock.now(),
            agent=_agent(request),
        )
    except (Invalid, Refused) as error:
        return _setup_page(token, error=error.message, email=email, full_name=full_name, status_code=error.status)
    return await _signed_in(request, db, settings, session, "/")


@get("/link/{token:str}", opt=public(), include_in_schema=False)
async def show_link(token: FromPath[str], db: Db, clock: Now) -> Template:
    """Shows a button. Opening the address signs nobody in and uses nothing up."""
    email = await links.email_of_sign_in_link(db, token, clock.now())
    return Template(template_name="link.html", context={"token": token, "email": email, "csrf": ""})


@post("/link/{token:str}", opt=public(), include_in_schema=False, request_max_body_size=FORM_BYTES, status_code=303)
async def submit_link(request: PageRequest, token: FromPath[str], db: Db, clock: Now, settings: Config) -> Redirect:
    session = await links.use_sign_in_link(db, token, now=clock.now(), agent=_agent(request))
    return await _signed_in(request, db, settings, session, "/")


PAGE_ROUTES: list[HTTPRouteHandler] = [
    show_sign_in,
    submit_sign_in,
    submit_sign_out,
    show_setup,
    submit_setup,
    show_link,
    submit_link,
]
ROUTES: list[HTTPRouteHandler] = [*PAGE_ROUTES, *API_ROUTES]


async def _signed_in(request: PageRequest, db: Database, settings: WebSettings, token: str, to: str) -> Redirect:
    if earlier := request.cookies.get(COOKIE):
        await sessions.sign_out(db, earlier)
    answer = Redirect(to, status_code=303)
    answer.cookies.append(session_cookie(token, settings.public_url))
    return answer


def _sign_in_page(wanted: str | None, *, error: str = "", email: str = "", status_code: int = 200) -> Template:
    # There is no session yet that a token could be bound to: these forms are protected by where they come from.
    context = {"next": local_path(wanted), "error": error, "email": email, "csrf": ""}
    return Template(template_name="sign_in.html", context=context, status_code=status_code)


def _setup_page(
    token: str, *, error: str = "", email: str = "", full_name: str = "", status_code: int = 200
) -> Template:
    context = {"token": token, "error": error, "email": email, "full_name": full_name, "csrf": ""}
    return Template(template_name="setup.html", context=context, status_code=status_code)


async def _fields(request: PageRequest) -> dict[str, str]:
    """The text fields of the form; of a repeated field the last."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


def _agent(request: PageRequest) -> str:
    return request.headers.get("user-agent", "")
