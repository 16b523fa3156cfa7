"""Several files of one product's API read together, whatever the product: sorted by kind, then carried over. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from sev1.catalog.importers.directory import Directory
from sev1.catalog.importers.draft import Draft, Imported
from sev1.catalog.importers.sources import converted, json_value, require_vendor, titled

T = TypeVar("T")


class Export(ABC):
    """What one product exported. A product says how its objects are told apart and what becomes of each kind."""

    vendor: ClassVar[str]
    """As `sources.VENDORS` names it."""
    product: ClassVar[str]
    """As a report calls it."""
    kinds: ClassVar[Mapping[str, str]]
    """What is read, and what a report calls one of them."""
    called_by: ClassVar[tuple[str, ...]] = ("name",)
    """The fields that may say what an object is called, the best first."""

    def __init__(self, now: datetime) -> None:
        """What ended before `now` is history."""
        self.now = now
        self.draft = Draft()
        self.directory = Directory(draft=self.draft)
        self.items: dict[str, dict[str, Any]] = {kind: {} for kind in self.kinds}

    def read(self, found: Iterable[tuple[str, bytes]]) -> Imported:
        """The import of the files (name, content) together. Raises `NotImportable`."""
        for name, raw in found:
            value = json_value(name, raw)
            require_vendor(name, value, self.vendor)
            self.sort(name, value)
        self.carry_over()
        return self.draft.imported()

    @abstractmethod
    def sort(self, name: str, value: Any) -> None:
        """Puts the objects of a file into `items` with the others of their kind; the same object twice counts once."""

    @abstractmethod
    def carry_over(self) -> None:
        """Makes catalog objects of `items`, those first to which others refer."""

    def each(self, kind: str, wanted: type[T]) -> list[T]:
        """The objects of a kind, in the order of their ids; what cannot be read is reported."""
        ordered = [item for _, item in sorted(self.items[kind].items())]
        called = self.kinds[kind]
        return converted(self.draft, ordered, wanted, lambda item: titled(self.product, called, item, *self.called_by))

    def one_page_of_more(self, name: str, todo: str = "Export all pages, and import them together.") -> None:
        self.draft.left(name, "It is one page of a longer list; the other pages are missing.", todo)
