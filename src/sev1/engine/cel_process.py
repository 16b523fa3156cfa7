"""The process in which CEL runs: requests on stdin, answers on stdout, each with its length before it.

It has no secrets, no files open and little memory. Whoever started it kills it when it is late.
"""

import contextlib
import json
import sys
from typing import Any

MEMORY_MAX_BYTES = 512 * 1024 * 1024
EACH_MAX = 500
ANSWER_MAX_BYTES = 1024 * 1024


def main() -> None:
    import cel  # noqa: PLC0415 - before the memory is limited

    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    programs: dict[str, Any] = {}
    _write(b"{}")
    while head := sys.stdin.buffer.read(4):
        request = json.loads(sys.stdin.buffer.read(int.from_bytes(head, "big")))
        answer = json.dumps(_evaluate(cel, programs, request), default=str).encode()
        if len(answer) > ANSWER_MAX_BYTES:
            answer = b'{"error": "The expressions gave more than 1 MB."}'
        _write(answer)


def _evaluate(cel: Any, programs: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    variables, results = request["variables"], []
    items: list[Any] = [None]
    if each := request["each"]:
        try:
            items = _program(cel, programs, each).execute(variables)
        except Exception as error:  # noqa: BLE001 - whatever CEL raises, the sender is told
            return {"error": f"`each`: {_words(error)}"}
        if not isinstance(items, list):
            return {"error": f"`each` must give a list, not {type(items).__name__}."}
        if len(items) > EACH_MAX:
            return {"error": f"`each` gives {len(items)} entries; {EACH_MAX} is the most."}
    for item in items:
        known = {**variables, "item": item} if each else variables
        result = {}
        for name, source in request["expressions"].items():
            try:
                result[name] = _program(cel, programs, source).execute(known)
            except KeyError:
                result[name] = None
            except Exception as error:  # noqa: BLE001 - whatever CEL raises, the sender is told
                if "no such key" in str(error).lower():
                    result[name] = None
                else:
                    return {"error": f"`{name}`: {_words(error)}"}
        results.append(result)
    return {"results": results}


def _program(cel: Any, programs: dict[str, Any], source: str) -> Any:
    if source not in programs:
        if len(programs) > 1000:
            programs.clear()
        programs[source] = cel.compile(source)
    return programs[source]


def _words(error: Exception) -> str:
    text = str(error).partition("\n")[0][:300]
    return text if text.endswith(".") else f"{text}."


def _write(answer: bytes) -> None:
    sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
