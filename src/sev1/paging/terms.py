"""What every command and every event of a page is made of."""

from msgspec import Struct


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    pass
