"""What must hold of declaration policies. Pure."""

from collections.abc import Iterator

from sev1.catalog.model import Catalog
from sev1.catalog.problems import Finding
from sev1.engine import cel


def declaration(catalog: Catalog) -> Iterator[Finding]:
    for policy in catalog.declaration_policies.values():
        try:
            cel.check(policy.when)
        except cel.CelInvalid as error:
            message = f'declaration policy "{policy.name}": {error.message}'
            fix = 'Write it like `service.tier == 1 && page.severity in ["sev-0", "sev-1"]`.'
            yield Finding(kind="declaration-policy", name=policy.name, path=("when",), message=message, fix=fix)
        if policy.severity is not None and policy.severity not in catalog.severities:
            message = f'declaration policy "{policy.name}" declares {policy.severity}, which is not in use.'
            fix = f"Choose one of {', '.join(one.name for one in catalog.severities_worst_first())}."
            yield Finding(kind="declaration-policy", name=policy.name, path=("severity",), message=message, fix=fix)
