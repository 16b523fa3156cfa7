"""A stop in order: open streams do not hold it up, and no process is left behind."""

import signal
import threading

import httpx
import pytest
from tests.live.server import LiveServer, own_folder
from tests.live.waiting import until

STREAMS = 5


def listen(client: httpx.Client, path: str, opened: threading.Semaphore) -> None:
    """Reads an event stream until the server ends it."""
    with client.stream("GET", path, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        opened.release()
        for _ in answer.iter_raw():
            pass


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_open_streams_within_five_seconds_and_leaves_no_process(sig: signal.Signals) -> None:
    with own_folder() as folder:
        stop_with_open_streams(LiveServer(folder), sig)


def stop_with_open_streams(server: LiveServer, sig: signal.Signals) -> None:
    server.start()
    try:
        with server.browser("ana@shop.test", "admin") as browser, server.client(server.token("admin")) as api:
            declared = api.post("/api/v1/incidents", json={"type": "declare", "title": "Something is wrong"})
            path = f"/incidents/{declared.raise_for_status().json()['id']}/events"
            opened = threading.Semaphore(0)
            streams = [threading.Thread(target=listen, args=(browser, path, opened)) for _ in range(STREAMS)]
            for stream in streams:
                stream.start()
            for _ in streams:
                assert opened.acquire(timeout=10)
            assert server.stop(sig, within_s=15) <= 5
            for stream in streams:
                stream.join(10)
        until(lambda: not server.processes(), "every process to be gone", within_s=1)
    finally:
        server.end()
