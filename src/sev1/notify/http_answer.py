"""Handing something to an HTTP server, and what its answer means for a delivery."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from sev1.engine.fetch import Answer, Fetch, FetchFailed, TargetRefused
from sev1.notify.channels import Permanent, Temporary

TRY_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""The refusals (4xx) that pass by themselves."""
RETRY_AFTER_MAX_S = 3600.0


async def post(fetch: Fetch, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer, whatever its status. Raises Temporary when there was none, Permanent when it must not be asked."""
    try:
        return await fetch.request("POST", url, headers=headers, content=body)
    except TargetRefused as error:
        raise Permanent(error.message) from error
    except FetchFailed as error:
        raise Temporary(error.message, may_have_arrived=error.may_have_arrived) from error


def judge(answer: Answer, host: str, now: datetime, *, detail: str = "") -> str:
    """The receipt. Raises Temporary or Permanent for whatever is not 2xx; `detail` is what the other side said of it."""
    said = f"{host} answered {answer.status}" + (f": {detail}" if detail else "")
    if 200 <= answer.status < 300:
        return said
    if 300 <= answer.status < 400:
        raise Permanent(f"{said}, a redirect, which is not followed: enter the address that it leads to")
    if 400 <= answer.status < 500 and answer.status not in TRY_AGAIN:
        raise Permanent(said)
    raise Temporary(said, retry_after_s=_retry_after_s(answer.headers.get("retry-after", ""), now))


def _retry_after_s(value: str, now: datetime) -> float | None:
    """`Retry-After` as seconds from `now`: a number or a date (RFC 9110, 10.2.3); None when it is neither."""
    try:
        wait_s = float(int(value)) if value.strip().isdigit() else (parsedate_to_datetime(value) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)
