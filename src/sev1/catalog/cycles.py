"""Circles in a graph of names."""

from collections.abc import Mapping, Sequence


def cycles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Circles of `graph` as paths that end where they begin, e.g. `["a", "b", "a"]`; none when there is no circle.

    Not every circle there is (that number explodes) but one for each edge that closes a path: remove those edges and
    the graph is free of circles. Names without an entry of their own are ends. No recursion: chains may be long.
    """
    found: list[list[str]] = []
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        path = [start]
        place = {start: 0}
        waiting = [iter(graph[start])]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                done.add(path[-1])
                del place[path.pop()]
            elif following in place:
                # Seen from the edge that closes the circle: it is the one to be looked at.
                circle = path[place[following] :]
                found.append([path[-1], *circle])
            elif following in graph and following not in done:
                place[following] = len(path)
                path.append(following)
                waiting.append(iter(graph[following]))
    return found
