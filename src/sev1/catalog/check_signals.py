"""What must hold of the signals that a catalog defines: mappings, heartbeats, checks, composites, status feeds. Pure."""

from collections.abc import Callable, Iterator

import re2

from sev1.catalog.matchers import MatcherInvalid, parse
from sev1.catalog.model import Catalog, Composite, HttpProbe, Mapping
from sev1.catalog.problems import Finding, Path
from sev1.engine import cel

Refer = Callable[[tuple[str, str], Path, str, str, str], Iterator[Finding]]
"""(kind, name), path, verb, kind of what is referred to, its name -> at most one finding."""


def signals(catalog: Catalog, refer: Refer) -> Iterator[Finding]:
    for mapping in catalog.mappings.values():
        yield from _mapping(mapping)
    for composite in catalog.composites.values():
        yield from _composite(composite)
    for check in catalog.checks.values():
        if isinstance(check.probe, HttpProbe) and check.probe.pattern is not None:
            yield from _pattern(check.name, check.probe.pattern)
    for kind, objects in (
        ("heartbeat", catalog.heartbeats),
        ("check", catalog.checks),
        ("composite", catalog.composites),
        ("status-feed", catalog.feeds),
    ):
        for name, watched in objects.items():
            if watched.service is not None:
                yield from refer((kind, name), ("service",), "is about", "service", watched.service)


def _mapping(mapping: Mapping) -> Iterator[Finding]:
    written: dict[Path, str] = {
        (field,): text
        for field in ("each", "summary", "key", "status", "severity", "service", "starts_at")
        if (text := getattr(mapping, field)) is not None
    }
    written |= {("labels", name): text for name, text in mapping.labels.items()}
    for path, text in written.items():
        try:
            cel.check(text)
        except cel.CelInvalid as error:
            where = ".".join(map(str, path))
            message = f'mapping "{mapping.name}": `{where}`: {error.message}'
            fix = 'Write it like `payload.title` or `payload.state == "ok" ? "resolved" : "firing"`.'
            yield Finding(kind="mapping", name=mapping.name, path=path, message=message, fix=fix)


def _composite(composite: Composite) -> Iterator[Finding]:
    name = composite.name
    for at, text in enumerate(composite.match):
        try:
            everything = not parse(text)
        except MatcherInvalid as error:
            message = f'composite "{name}" has a matcher that cannot be read: {error.message}'
            fix = """Write it like `severity="critical"` or `env=~"prod|live"`."""
            yield Finding(kind="composite", name=name, path=("match", at), message=message, fix=fix)
            continue
        if everything:
            message = f'composite "{name}" has a condition that matches every alert.'
            fix = "Name at least one label."
            yield Finding(kind="composite", name=name, path=("match", at), message=message, fix=fix)
    if composite.count is not None and composite.at_least is not None:
        message = f'composite "{name}" has both `count` and `at_least`.'
        yield Finding(kind="composite", name=name, path=("count",), message=message, fix="Keep one of them.")
    if composite.at_least is not None and composite.at_least > len(composite.match):
        message = f'composite "{name}" wants {composite.at_least} of {len(composite.match)} conditions: it never fires.'
        yield Finding(kind="composite", name=name, path=("at_least",), message=message, fix="Lower `at_least`.")


def _pattern(name: str, pattern: str) -> Iterator[Finding]:
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else error
        message = f'check "{name}": `probe.pattern` is no regular expression of RE2: {words}.'
        yield Finding(kind="check", name=name, path=("probe", "pattern"), message=message, fix="Correct it.")
