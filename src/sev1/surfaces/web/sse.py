"""The format of server-sent events (WHATWG HTML, 9.2). Pure."""


def message(event: str, data: str = "", *, id: int | None = None) -> bytes:  # noqa: A002 - the field's name
    """One event. Without `id` the browser keeps the last one it has, and sends that when it comes back."""
    lines = [f"event: {event}"]
    if id is not None:
        lines.append(f"id: {id}")
    # Every line ending that the format knows would end the field, so each line becomes a field of its own.
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return ("\n".join(lines) + "\n\n").encode()


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it connects again."""
    return f"retry: {milliseconds}\n\n".encode()
