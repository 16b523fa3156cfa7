"""What must hold of the diagnostics of services, and of the runbooks that name them. Pure."""

from collections.abc import Iterator

from sev1.catalog.model import Catalog, Service
from sev1.catalog.problems import Finding, did_you_mean
from sev1.catalog.runbook import diagnostics_named
from sev1.engine import cel


def diagnostics(catalog: Catalog) -> Iterator[Finding]:
    for service in catalog.services.values():
        yield from _of_service(service)
    for runbook in catalog.runbooks.values():
        services = [service for service in catalog.services.values() if service.runbook == runbook.name]
        known = {one.name for service in services for one in service.diagnostics}
        for name in diagnostics_named(runbook.body):
            if services and name not in known:
                message = (
                    f'runbook "{runbook.name}" names the diagnostic "{name}", which no service with this runbook has.'
                )
                fix = did_you_mean(name, known) or "Add it to `diagnostics` of the service, or correct the name."
                yield Finding(kind="runbook", name=runbook.name, path=(), message=message, fix=fix, warning=True)


def _of_service(service: Service) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, one in enumerate(service.diagnostics):
        if one.name in seen:
            message = f'service "{service.name}" has two diagnostics called "{one.name}".'
            path = ("diagnostics", at, "name")
            yield Finding(kind="service", name=service.name, path=path, message=message, fix="Give each its own name.")
        seen.add(one.name)
        if one.show is None:
            continue
        try:
            cel.check(one.show)
        except cel.CelInvalid as error:
            message = f'service "{service.name}": `show` of the diagnostic "{one.name}": {error.message}'
            fix = 'Write it like `answer.state` or `string(answer.used) + " of " + string(answer.size)`.'
            path = ("diagnostics", at, "show")
            yield Finding(kind="service", name=service.name, path=path, message=message, fix=fix)
