"""A line becomes a command, or a sentence that says how to write it. Pure."""

import difflib
from typing import Any

import msgspec

from sev1.command import model as m
from sev1.command.grammar.reading import LINE_MAX, Rest, Speaker
from sev1.command.grammar.verbs import BY_NAME, VERBS, Verb
from sev1.engine.errors import Invalid


def parse(line: str, speaker: Speaker) -> m.ResponderCommand:
    """The command that `line` means. A line without a leading slash is a note.

    Raises Invalid with what is wrong and how such a line is written; its data name the `verb`.
    """
    line = line.strip()
    if len(line) > LINE_MAX:
        raise Invalid(f"The line is longer than {LINE_MAX:,} characters. Attach long texts as evidence instead.")
    if not line.strip("/ "):
        raise Invalid("Type a command, like /can or /task, or a note.")
    verb, text = _verb_of(line)
    try:
        return to_command(verb.read(Rest(text, speaker)))
    except Invalid as problem:
        raise Invalid(
            f"{problem.message} For example: {verb.example}", verb=verb.name, usage=usage(verb), **problem.data
        ) from None


def _verb_of(line: str) -> tuple[Verb, str]:
    if not line.startswith("/"):
        return BY_NAME["note"], line
    name, _, text = line[1:].replace("\n", " \n", 1).partition(" ")
    name = name.casefold()
    if verb := BY_NAME.get(name):
        return verb, text
    meant = [verb for verb in VERBS if verb.name.startswith(name)] if name else []
    if len(meant) == 1:
        return meant[0], text
    near = [verb.name for verb in meant] or difflib.get_close_matches(name, list(BY_NAME), n=3, cutoff=0.6)
    others = " Type /help for all of them; /note writes a note."
    guess = f" Did you mean {' or '.join('/' + one for one in near[:3])}?" if near else others
    raise Invalid(f"There is no command /{name}.{guess}")


def to_command(fields: dict[str, Any]) -> m.ResponderCommand:
    """Raises Invalid, naming the field, when a text is longer or a number higher than it may be."""
    try:
        command: m.ResponderCommand = msgspec.convert(fields, m.ResponderCommand)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$.")
        field = where.rstrip("`")
        if "length <=" in problem:
            most = int(problem.rsplit("<=", 1)[1])
            raise Invalid(
                f"The {field.replace('_', ' ')} is longer than {most:,} characters. Attach long texts as evidence.",
                field=field,
            ) from None
        raise Invalid(f"The {field.replace('_', ' ') or 'line'} cannot be used: {problem}.", field=field) from None
    return command


def usage(verb: Verb) -> str:
    return f"/{verb.name} {verb.usage}".strip()


def usage_of(line: str) -> str:
    """How the command that `line` begins with is written; nothing for a note, or while the name is unfinished."""
    name, space, _ = line.strip(" ").removeprefix("/").partition(" ")
    verb = BY_NAME.get(name.casefold()) if line.startswith("/") and (space or line.endswith(" ")) else None
    return usage(verb) if verb else ""


def help_text(name: str = "") -> str:
    """All commands by group, or one with its example. Raises Invalid for one that does not exist."""
    if name:
        verb = BY_NAME.get(name.lstrip("/").casefold())
        if verb is None:
            raise Invalid(f"There is no command /{name.lstrip('/')}. Type /help for all of them.")
        also = f"\nAlso: {', '.join('/' + one for one in verb.also)}" if verb.also else ""
        return f"{usage(verb)}\n{verb.does}\n{verb.example}{also}"
    lines: list[str] = []
    group = ""
    for verb in VERBS:
        if verb.group != group:
            group = verb.group
            lines += ["", group] if lines else [group]
        lines.append(f"  {usage(verb):<64} {verb.does}")
    return "\n".join(lines)
