"""Conditions and mappings that users write in CEL, with the limits that CEL itself does not have.

CEL always ends, but nothing says when: two nested `map` over a thousand entries take a minute, and while they run the
interpreter holds Python's lock, so a timer in this process could not even fire. Hence two fences (docs/adr/0010):

`check` refuses before anything runs: length, depth of brackets, number and nesting of comprehensions.
`Evaluator` runs expressions in a process of its own, with bounded input, memory and time; one that is late is killed.
"""

import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from sev1.engine.errors import Invalid, Unavailable

LENGTH_MAX = 1_000
DEPTH_MAX = 16
COMPREHENSIONS_MAX = 4
INPUT_MAX_BYTES = 256 * 1024
ANSWER_MAX_BYTES = 1024 * 1024
TIME_MAX_S = 0.5
START_MAX_S = 15.0
"""For the first answer of a new process, which has to import things first."""
WAITING_MAX = 64

_TOKEN = re.compile(
    r"""(?P<comment>//)|(?P<triple>\"{3}|'{3})"""
    r"""|(?P<text>[rR][bB]?"[^"\n]*"|[rR][bB]?'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<macro>\.\s*(?:all|exists|exists_one|map|filter|existsOne|transformList|transformMap|sortBy)\s*\()"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<unary>(?:[-!]\s*){9,})""",
    re.DOTALL,
)
_NOT_TAKEN = {
    "comment": "Comments are not taken",
    "triple": "Triple quotes are not taken",
    "unary": "Rows of signs are not taken",
}
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class CelInvalid(Invalid):
    """An expression cannot be taken. `data` has `line` and `column`, 1-based, where they are known."""

    code = "cel_invalid"


class CelFailed(Invalid):
    """An expression was right and did not come to a value for this input: a missing field, a wrong type, out of time."""

    code = "cel_failed"


def check(expression: str) -> None:
    """Raises `CelInvalid` with a sentence and a position unless the expression may be evaluated."""
    _limits(expression)
    import cel  # noqa: PLC0415 - it costs a quarter of a second, and most nodes never need it

    try:
        cel.compile(expression)
    except ValueError as error:
        raise _as_sentence(str(error)) from None
    except Exception as error:
        raise CelInvalid(f"The expression cannot be read: {str(error)[:200]}.") from error


def _limits(expression: str) -> None:
    if not expression.strip():
        raise CelInvalid("The expression is empty.", line=1, column=1)
    if len(expression) > LENGTH_MAX:
        raise CelInvalid(f"The expression is {len(expression)} characters long; {LENGTH_MAX} is the most.")
    inside: list[bool] = []
    """Of each open bracket, whether it is a comprehension's."""
    comprehensions = 0
    for found in _TOKEN.finditer(expression):
        match found.lastgroup:
            case "text":
                continue
            case "macro":
                comprehensions += 1
                if any(inside) or comprehensions > COMPREHENSIONS_MAX:
                    raise _too_many(expression, found.start(), nested=any(inside))
                inside.append(True)
            case "open":
                inside.append(False)
            case "close":
                del inside[-1:]
            case kind:
                raise _at(expression, found.start(), _NOT_TAKEN[kind or ""])
        if len(inside) > DEPTH_MAX:
            raise _at(expression, found.start(), f"Brackets are nested deeper than {DEPTH_MAX}")


def _too_many(expression: str, at: int, *, nested: bool) -> CelInvalid:
    if not nested:
        return _at(expression, at, f"There are more than {COMPREHENSIONS_MAX} comprehensions")
    return _at(
        expression,
        at,
        "A comprehension inside a comprehension could run for minutes; put one behind the other, "
        "or send the list in a flatter form",
    )


def _at(expression: str, at: int, what: str) -> CelInvalid:
    line, column = _position(expression, at)
    return CelInvalid(f"{what} (line {line}, column {column}).", line=line, column=column)


def _position(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _as_sentence(text: str) -> CelInvalid:
    if not (found := _PLACE.search(text)):
        return CelInvalid("The expression cannot be read.")
    line, column, words = int(found[1]), int(found[2]), found[3].partition(" expecting ")[0]
    words = words.replace("mismatched input '<EOF>'", "it ends too early").replace("<EOF>", "the end")
    return CelInvalid(
        f"The expression cannot be read at line {line}, column {column}: {words}.", line=line, column=column
    )


class Evaluator:
    """Evaluates expressions outside this process, one request at a time. `async with`, or `close()` it."""

    def __init__(self, *, time_max_s: float = TIME_MAX_S) -> None:
        self._time_max_s = time_max_s
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def evaluate(self, expressions: Mapping[str, str], variables: Any, *, each: str = "") -> list[dict[str, Any]]:
        """Each expression's value by its name, once; or, with `each`, once for each entry of the list that `each`
        gives, which the expressions then know as `item`. A field that is not there gives None.

        Raises `CelInvalid` for an expression over the limits, `CelFailed` when one comes to no value in time,
        Unavailable when too many wait.
        """
        for expression in [*expressions.values(), *([each] if each else [])]:
            _limits(expression)
        request = msgspec.json.encode({"expressions": expressions, "variables": variables, "each": each})
        if len(request) > INPUT_MAX_BYTES:
            raise CelFailed(f"The input of the expressions is larger than {INPUT_MAX_BYTES // 1024} kB.")
        if self._waiting >= WAITING_MAX:
            raise Unavailable("Too many expressions wait to be evaluated. Send it again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(request)
        finally:
            self._waiting -= 1

    async def _ask(self, request: bytes) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(START_MAX_S):
                process = await self._running()
            async with asyncio.timeout(self._time_max_s):
                assert process.stdin is not None
                process.stdin.write(len(request).to_bytes(4, "big") + request)
                await process.stdin.drain()
                raw = await self._answer(process)
        except TimeoutError:
            await self.close()
            raise CelFailed(f"The expressions took longer than {self._time_max_s:g} s and were stopped.") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise CelFailed("The expressions needed more memory than they may have, and were stopped.") from error
        except BaseException:
            await self.close()  # an answer that nobody read would be taken for the next one's
            raise
        answer = msgspec.json.decode(raw)
        if "error" in answer:
            raise CelFailed(answer["error"])
        results: list[dict[str, Any]] = answer["results"]
        return results

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", "sev1.engine.cel_process",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
            )  # fmt: skip
            await self._answer(self._process)  # it says that it is up
        return self._process

    @staticmethod
    async def _answer(process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        size = int.from_bytes(await process.stdout.readexactly(4), "big")
        return await process.stdout.readexactly(min(size, ANSWER_MAX_BYTES))
