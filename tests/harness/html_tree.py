"""An HTML fragment as a tree. What is not well-formed fails: each element is closed in its order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Element:
    """An element with its attributes, and its texts and elements in their order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list["Element | str"] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def style(self) -> dict[str, str]:
        pairs = (part.partition(":") for part in self.attributes.get("style", "").split(";") if part)
        return {name.strip(): value.strip() for name, _, value in pairs}

    @property
    def text(self) -> str:
        """All text in it, style sheets left out, white space as single spaces."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for part in self.content:
            if isinstance(part, str):
                yield part
            elif part.tag != "style":
                yield from part._texts()

    def find(self, selector: str) -> list["Element"]:
        """The elements in it with this tag or, after a dot, this class, in the order of the document."""
        found = []
        for part in self.content:
            if isinstance(part, Element):
                wanted = selector[1:] in part.classes if selector.startswith(".") else part.tag == selector
                found += [*([part] if wanted else []), *part.find(selector)]
        return found

    def outline(self) -> list[object]:
        """Tags, names of attributes, classes and styles; nothing of what a stranger may write."""
        own = (self.tag, sorted(self.attributes), self.classes, self.attributes.get("style"))
        return [own, *(part.outline() for part in self.content if isinstance(part, Element))]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self.path = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice."
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.path[-1].content.append(element)
        self.path.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop().tag == tag, f"</{tag}> closes another element."

    def handle_data(self, data: str) -> None:
        self.path[-1].content.append(data)


def parse(fragment: str) -> Element:
    """The tree of a fragment, in an element without a tag."""
    builder = _Builder()
    builder.feed(fragment)
    builder.close()
    assert builder.path == [builder.root], "An element is not closed."
    return builder.root
