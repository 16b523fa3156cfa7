"""What a mapping of the catalog made of any sender's JSON: the events, and the payload as it came.

No address of its own: `sev1.intake.mapping` applies the mapping before the payload is stored, so that what was
understood once is not understood differently after the mapping was changed.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct

from sev1.intake.formats.format import Accepted, Answer
from sev1.intake.formats.limits import ALERTS_MAX
from sev1.intake.formats.plain import Plain, PlainEvent, Read, checked
from sev1.intake.formats.reading import read


class Envelope(Struct, kw_only=True):
    mapping: str
    events: Annotated[list[PlainEvent], Meta(max_length=ALERTS_MAX)]
    payload: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(Envelope).decode


class Mapped(Plain):
    name: ClassVar[str] = "mapped"
    title: ClassVar[str] = "JSON with a mapping"
    paths: ClassVar[tuple[str, ...]] = ()
    setup: ClassVar[str] = "In place of MAPPING, the name of a `kind: mapping` of the catalog. Post any JSON."

    def address(self, url: str, key: str) -> str:
        return f"{url}/integrations/{key}/mapped/MAPPING"

    def decode(self, raw: bytes) -> list[Read]:
        try:
            envelope = read(_decode, raw)
            return [checked(event, f" (event {number})") for number, event in enumerate(envelope.events, 1)]
        except ValueError as error:
            raise self.misunderstood(str(error)) from error

    def accepted(self, decoded: list[Read], raw: bytes) -> Accepted:
        body = msgspec.json.encode({"accepted": len(decoded), "keys": [item.key for item in decoded]})
        return Accepted(raw=raw, events=len(decoded), answer=Answer(status=202, body=body))
