"""XML from strangers: read in a stream, under limits, without entities of its own or anything outside the file."""

from collections.abc import Collection, Iterator
from typing import IO
from xml.etree.ElementTree import Element
from xml.parsers import expat

from etalage.catalogue.readers.raw_table import CHUNK_BYTES, MAX_CELL_CHARS
from etalage.errors import EtalageError

__all__ = ["iterate_elements", "local_name"]

_MAX_DEPTH = 100


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def iterate_elements(
    file: IO[bytes], wanted: Collection[str], place: str, announced: Collection[str] = ()
) -> Iterator[Element]:
    """Yield each wanted element once it is complete; everything outside them is forgotten at once.

    The root is yielded first, without children, whatever its name. Names keep their prefix, whether it is declared or
    not, as some programs forget to.

    Args:
        file: The file.
        wanted: Names of elements without prefixes; those within another wanted one are yielded as a part of it.
        place: The file's name, for messages.
        announced: Names of elements that are yielded when they begin, without children, as the root is.

    Raises:
        EtalageError: It is not XML, declares entities, or is too deep, or an element is too large.
    """
    handler = _Handler(wanted, place, announced)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    # An entity may stand for millions of others, or for a file of this machine.
    parser.EntityDeclHandler = handler.refuse_entity
    try:
        while chunk := file.read(CHUNK_BYTES):
            parser.Parse(chunk, False)
            yield from handler.take()
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, EtalageError):
            raise
        raise EtalageError(f"{place} cannot be read as XML: {error}; export it again") from error
    yield from handler.take()


class _Handler:
    """Builds the wanted elements from the events of a parser."""

    def __init__(self, wanted: Collection[str], place: str, announced: Collection[str]) -> None:
        self._wanted = wanted
        self._announced = announced
        self._place = place
        self._depth = 0
        self._open: list[Element] = []
        self._done: list[Element] = []
        self._num_chars = 0

    def take(self) -> list[Element]:
        """Return the elements that are complete, and forget them."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise EtalageError(f"{self._place} is nested too deeply: more than {_MAX_DEPTH} elements in one another")
        if self._depth == 1 or (not self._open and local_name(name) in self._announced):
            self._done.append(Element(name, attributes))
        if self._open or local_name(name) in self._wanted:
            element = Element(name, attributes)
            if self._open:
                self._open[-1].append(element)
            self._open.append(element)
            self._count(len(name) + sum(map(len, attributes.values())))

    def end(self, name: str) -> None:
        """End an element; the parser has checked its name."""
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._done.append(element)
                self._num_chars = 0

    def text(self, text: str) -> None:
        """Add text to the element that is open."""
        if not self._open:
            return
        self._count(len(text))
        element = self._open[-1]
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text

    def refuse_entity(self, name: str, *_: object) -> None:
        """Refuse a declaration of an entity."""
        raise EtalageError(f"{self._place} declares an entity, {name[:40]!r}; export it without a DOCTYPE")

    def _count(self, num_chars: int) -> None:
        self._num_chars += num_chars
        if self._num_chars > MAX_CELL_CHARS:
            raise EtalageError(f"{self._place} has an element of more than {MAX_CELL_CHARS} characters")
