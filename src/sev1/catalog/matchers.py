r"""Label matchers in Alertmanager's grammar: `env="prod"`, `service=~"checkout|cart"`, `{team!="web", "über.name"="x"}`.

Both of its grammars are read, with the result that Alertmanager 0.27 and newer reaches by default: it tries both, and
where they disagree (`"\t"` is a tab to the UTF-8 grammar and two characters to the classic one) the classic reading holds.
So what the classic grammar accepts is read classically, everything else by the UTF-8 grammar. A label that an alert does
not carry counts as "". Regular expressions are RE2, so they take linear time, and match the whole value.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import re2
from msgspec import Struct

from sev1.engine.errors import Invalid

Op = Literal["=", "!=", "=~", "!~"]

LONGEST_TEXT = 10_000
LONGEST_PATTERN = 1_000
LONGEST_REMEMBERED = 200
MOST_MEMORY_BYTES = 1 << 20
"""What one compiled regular expression may take."""

# Go's unicode.IsSpace; Python's str.isspace() counts four control characters more.
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TOKEN = re.compile(
    rf"""[{_SPACES}]*(?:(?P<brace>[{{}}])|(?P<comma>,)|(?P<op>=~|!=|!~|=)"""
    rf"""|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[^{_SPACES}{{}}!=~,\\"'`]+)|(?P<end>\Z))""",
    re.DOTALL,
)
_CLASSIC_SPACES = "\t\n\f\r "
_CLASSIC = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)[{_CLASSIC_SPACES}]*(=~|=|!=|!~)[{_CLASSIC_SPACES}]*(.*)", re.DOTALL)
_CLASSIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPE = re.compile(
    rb"\\(?:(x)([0-9a-fA-F]{2})|(u)([0-9a-fA-F]{4})|(U)([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_ESCAPED = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}


class MatcherInvalid(Invalid, ValueError):
    """A matcher cannot be read. `data["column"]` is the 1-based column where reading stopped, where that is known.

    Also a ValueError, so that msgspec reports a bad one on decoding like any other wrong value.
    """

    code = "matcher_invalid"


class Matcher(Struct, frozen=True):
    """One condition on one label. `str()` is its canonical text, which `parse` reads back to an equal matcher."""

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        if not self.name:
            raise MatcherInvalid("A matcher needs a label's name before its operator.")
        if self.op in {"=~", "!~"}:
            _regex(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        text = labels.get(self.name, "")
        match self.op:
            case "=":
                return text == self.value
            case "!=":
                return text != self.value
            case "=~":
                return _fits(self.value, text)
            case "!~":
                return not _fits(self.value, text)

    def __str__(self) -> str:
        name = self.name if _CLASSIC_NAME.fullmatch(self.name) else f'"{_escape(self.name)}"'
        return f'{name}{self.op}"{_escape(self.value)}"'


def parse(text: str) -> list[Matcher]:
    """The matchers in `text`, comma-separated, with or without braces around all of them; none in "" and "{}".

    Raises `MatcherInvalid` when neither grammar accepts the text.
    """
    if len(text) > LONGEST_TEXT:
        raise MatcherInvalid(f"The matchers are {len(text)} characters long; {LONGEST_TEXT} is the most.")
    try:
        return _classic(text)
    except MatcherInvalid:
        # Its error is left to the stricter grammar, which knows the column.
        return _Utf8Parser(text).matchers()


def parse_one(text: str) -> Matcher:
    """The one matcher in `text`, without braces. Raises `MatcherInvalid`."""
    if text.startswith("{") or text.endswith("}"):
        raise MatcherInvalid("A single matcher stands without braces.")
    found = parse(text)
    if len(found) != 1:
        raise MatcherInvalid(f"Exactly one matcher is expected here, not {len(found)}.")
    return found[0]


def parse_all(texts: Iterable[str]) -> list[Matcher]:
    """All matchers of a list of texts, as routes and inhibit rules hold them."""
    return [matcher for text in texts for matcher in parse(text)]


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every matcher holds; no matcher at all holds for every alert."""
    return all(matcher.matches(labels) for matcher in matchers)


@functools.lru_cache(maxsize=2048)
def _regex(pattern: str) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise MatcherInvalid(
            f"The regular expression is {len(pattern)} characters long; {LONGEST_PATTERN} is the most."
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MOST_MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "it cannot be read"
        raise MatcherInvalid(f'"{pattern}" is not a regular expression: {reason}.') from error
    except UnicodeEncodeError as error:
        raise MatcherInvalid("The regular expression is not valid Unicode.") from error


def _fits(pattern: str, text: str) -> bool:
    # The same few values come with every alert, and the call into RE2 costs fifty times a look-up. Long values are not
    # remembered: they would fill the memory.
    if len(text) > LONGEST_REMEMBERED:
        return _regex(pattern).fullmatch(text) is not None
    return _fits_remembered(pattern, text)


@functools.lru_cache(maxsize=32_768)
def _fits_remembered(pattern: str, text: str) -> bool:
    return _regex(pattern).fullmatch(text) is not None


class _Utf8Parser:
    """`[ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]`; names and values are bare words or Go string literals."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next()

    def matchers(self) -> list[Matcher]:
        found: list[Matcher] = []
        braces = self._accept("brace", "{")
        while self._kind in {"quoted", "word", "op", "comma"}:
            found.append(self._matcher())
            if not self._accept("comma", ","):
                break
        if braces and not self._accept("brace", "}"):
            raise self._wrong('"," or "}"')
        if self._kind != "end":
            raise self._wrong('"," or the end' if found and not braces else "the end")
        return found

    def _matcher(self) -> Matcher:
        name = self._value("a label's name")
        if self._kind != "op":
            raise self._wrong("an operator (=, !=, =~ or !~)")
        op = self._token
        self._next()
        value = self._value("a value")
        return Matcher(name, cast("Op", op), value)

    def _value(self, wanted: str) -> str:
        if self._kind not in {"quoted", "word"}:
            raise self._wrong(wanted)
        text = self._token
        if self._kind == "quoted":
            try:
                text = _go_unescape(text[1:-1])
            except ValueError as error:
                raise MatcherInvalid(
                    f"The text in quotes at column {self._column} is not valid: {error}.", column=self._column
                ) from error
        self._next()
        return text

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match.lastgroup is None:
            rest = self._text[self._at :].lstrip()
            self._column = len(self._text) - len(rest) + 1
            what = "a quote that is never closed" if rest.startswith('"') else f'"{rest[:1]}", which must be quoted'
            raise MatcherInvalid(f"Column {self._column} holds {what}.", column=self._column)
        self._kind = match.lastgroup
        self._token = match.group(self._kind)
        self._column = match.start(self._kind) + 1
        self._at = match.end()

    def _accept(self, kind: str, token: str) -> bool:
        if (self._kind, self._token) != (kind, token):
            return False
        self._next()
        return True

    def _wrong(self, wanted: str) -> MatcherInvalid:
        got = "the text ends" if self._kind == "end" else f"stands {self._token}"
        return MatcherInvalid(f"At column {self._column} {got} where {wanted} is expected.", column=self._column)


def _classic(text: str) -> list[Matcher]:
    """The grammar before 0.27: braces optional on either side, a value runs to the next comma outside quotes."""
    text = text.removeprefix("{").removesuffix("}")
    parts: list[str] = [""]
    quoted = escaped = False
    for character in text:
        if character == ",":
            if not quoted:
                parts.append("")
                continue
        elif character == '"':
            quoted = quoted if escaped else not quoted
            escaped = False
        else:
            escaped = character == "\\" and not escaped
        parts[-1] += character
    if not parts[-1].strip():
        parts.pop()
    return [_classic_matcher(part) for part in parts]


def _classic_matcher(text: str) -> Matcher:
    match = _CLASSIC.fullmatch(text.strip(_CLASSIC_SPACES))
    if match is None:
        raise MatcherInvalid(f"{text} is not a matcher.")
    name, op, raw = match.groups()
    quoted = raw.startswith('"')
    return Matcher(name, cast("Op", op), _classic_unescape(raw.removeprefix('"'), quoted=quoted))


def _classic_unescape(raw: str, *, quoted: bool) -> str:
    value: list[str] = []
    at = 0
    while at < len(raw):
        character = raw[at]
        if character == "\\" and at + 1 < len(raw):
            following = raw[at + 1]
            # A backslash before anything else stands for itself.
            value.append({"n": "\n", '"': '"', "\\": "\\"}.get(following, "\\" + following))
            at += 2
            continue
        if character == '"':
            if quoted and at == len(raw) - 1:
                return "".join(value)
            raise MatcherInvalid(f"{raw} holds a quote that is not escaped.")
        value.append(character)
        at += 1
    if quoted:
        raise MatcherInvalid(f"{raw} lacks its closing quote.")
    return "".join(value)


def _escape(value: str) -> str:
    """Both grammars read these three escapes alike."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _go_unescape(raw: str) -> str:
    """What stands between the quotes of a Go string literal. Raises `ValueError` with the reason."""
    if "\n" in raw:
        raise ValueError("a line break must be written as \\n")

    def replace(match: re.Match[bytes]) -> bytes:
        _, byte, _, short, _, long, octal, single = match.groups()
        if byte:
            return bytes([int(byte, 16)])
        if octal:
            return bytes([int(octal, 8)])
        if short or long:
            try:
                return chr(int(short or long, 16)).encode()
            except (ValueError, OverflowError) as error:
                raise ValueError(f"{match.group().decode()} is no character") from error
        if single in _ESCAPED:
            return bytes([_ESCAPED[single]])
        raise ValueError(f"the escape \\{single.decode(errors='replace')} is unknown")

    try:
        return _ESCAPE.sub(replace, raw.encode()).decode()
    except UnicodeDecodeError as error:
        raise ValueError("its bytes are not UTF-8") from error
    except UnicodeEncodeError as error:
        raise ValueError("it is not valid Unicode") from error
