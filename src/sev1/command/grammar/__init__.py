"""One grammar of commands for every surface: the page's bar, the terminal, the API, later the chat (mission T.2).

    reading    takes a line apart: people, times, clauses, references
    verbs      the table: what can be said, how, and the command it means
    parse      a line -> a command, or a sentence that says how to write it
    complete   what could come next, while somebody types

A new command is one row in `verbs`; the help, the completion and the terminal follow from it.
"""
