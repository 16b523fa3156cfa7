"""The long tail: whatever the library Apprise can send to. It gives no receipt, so none is claimed.

Optional: `pip install sev1[apprise]`. Apprise makes its own connections and does not go through the guard on outgoing
requests; that is why its URL comes from the environment of the server and not from the catalog or a page.
"""

import asyncio
import os
from collections.abc import Mapping

from sev1.catalog.contact import AppriseMethod
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import MethodKind, one_line
from sev1.notify.wording import headline, in_short

BODY_MAX = 1000


class AppriseChannel:
    kind: MethodKind = "apprise"

    def __init__(self, *, environ: Mapping[str, str] | None = None) -> None:
        """`environ` holds the URLs that contact methods name; the process's own when None."""
        self._environ = os.environ if environ is None else environ

    async def send(self, out: Outgoing) -> str:
        """Says that it was handed over, and that nothing more is known. Raises Temporary or Permanent."""
        method = out.method
        if not isinstance(method, AppriseMethod):
            raise Permanent("this contact method is not for Apprise")
        url = self._environ.get(method.url_env, "")
        if not url:
            raise Permanent(f"the environment variable {method.url_env} that holds the Apprise URL is not set")
        title = headline(out.notice, repeat=out.repeat)
        body = "\n".join(filter(None, (in_short(out.notice, BODY_MAX), out.notice.url)))
        service = await asyncio.to_thread(_send, url, title, body)
        return f"handed to {service} by Apprise, which gives no receipt"


def _send(url: str, title: str, body: str) -> str:
    """The name of the service. In a thread: Apprise waits for the answer."""
    try:
        import apprise  # noqa: PLC0415 - optional, and a second to import
    except ImportError as error:
        raise Permanent("Apprise is not installed on this server: pip install 'sev1[apprise]'") from error
    target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if target is None:
        raise Permanent("Apprise does not understand its URL; see what its documentation says about that service")
    if not target.notify(body=body, title=title):
        raise Temporary(f"Apprise could not hand it to {one_line(str(target.service_name), 60)}", may_have_arrived=True)
    return one_line(str(target.service_name), 60)
