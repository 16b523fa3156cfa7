"""What sev1 finds by itself: a missed heartbeat, a failed check, a composite, a vendor's incident. No address of its own."""

from typing import ClassVar

from sev1.intake.formats.plain import Plain


class Watch(Plain):
    name: ClassVar[str] = "watch"
    title: ClassVar[str] = "sev1's own watch"
    paths: ClassVar[tuple[str, ...]] = ()
    setup: ClassVar[str] = ""
    """No key is made for it."""
