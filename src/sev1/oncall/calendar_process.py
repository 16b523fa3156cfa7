"""The process in which a calendar is read: the file on stdin, its events as JSON on stdout, then it ends.

A rule of one line can be worked out for minutes, and Python cannot be interrupted there. So it happens where little is
lost: no secrets, no database, bounded memory and processor time, and `read` kills what is late.
"""

import asyncio
import contextlib
import sys
from datetime import datetime

import msgspec
from msgspec import Struct

from sev1.oncall.calendar_in import BODY_MAX, CalendarUnreadable, Event
from sev1.oncall.calendar_in import read as read_here

TIME_MAX_S = 10.0
MEMORY_MAX_BYTES = 768 * 1024 * 1024


class _Answer(Struct):
    events: list[Event] = []
    error: str = ""


async def read(
    body: bytes, zone: str, since: datetime, until: datetime, *, time_max_s: float = TIME_MAX_S
) -> list[Event]:
    """`calendar_in.read` in a process of its own, which gets `time_max_s` seconds. Raises CalendarUnreadable."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "sev1.oncall.calendar_process", zone, since.isoformat(), until.isoformat(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(time_max_s):
            raw, _ = await process.communicate(body[: BODY_MAX + 1])
    except TimeoutError:
        raise CalendarUnreadable(f"It takes longer than {time_max_s:g} s to work out; that is not done.") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except msgspec.DecodeError:
        raise CalendarUnreadable("It takes more memory than it may to work out; that is not done.") from None
    if answer.error:
        raise CalendarUnreadable(answer.error)
    return answer.events


def main() -> None:
    zone, since, until = sys.argv[1:4]
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (int(TIME_MAX_S) + 1, int(TIME_MAX_S) + 1))
    body = sys.stdin.buffer.read(BODY_MAX + 1)
    try:
        events = read_here(body, zone, datetime.fromisoformat(since), datetime.fromisoformat(until))
        answer = _Answer(events=events)
    except CalendarUnreadable as error:
        answer = _Answer(error=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
