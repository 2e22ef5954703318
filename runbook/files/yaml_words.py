"""What PyYAML's syntax errors mean, in words for people."""

from __future__ import annotations

import yaml

from runbook.files.problems import Mark

_QUOTES = "Put a text that has special characters in quotes."

_WORDS: tuple[tuple[str, str, str], ...] = (
    (r"found character '\t'", "a tab stands where spaces are expected", "Indent with spaces, never with tabs."),
    (r"found a tab character", "a tab stands where spaces are expected", "Indent with spaces, never with tabs."),
    ("found character", "this character cannot begin a value", _QUOTES),
    ("mapping values are not allowed", "a colon is not possible here", f"Check the indentation. {_QUOTES}"),
    ("could not find expected ':'", "a colon is missing after the key", "Write `key: value`."),
    ("expected <block end>", "this does not fit the indentation of the lines above", "Align it with its neighbours."),
    ("sequence entries are not allowed", "a list cannot begin here", "Begin it on a line of its own."),
    ("mapping keys are not allowed", "a key cannot begin here", "Check the indentation."),
    ("block sequence entries are not", "a list cannot begin here", "Begin it on a line of its own."),
    ("found unexpected end of stream", "the file ends inside a quoted text", "Close the quotes."),
    ("found unexpected document separator", "the document ends inside a quoted text", "Close the quotes."),
    ("expected ',' or ']'", "a comma or the closing `]` is missing", ""),
    ("expected ',' or '}'", "a comma or the closing `}` is missing", ""),
    (
        "found unknown escape character",
        "this escape is not known",
        r"Write `\\` for a backslash, or use single quotes.",
    ),
    ("expected escape sequence", "the escape is not complete", "For example `\\x41` or `\\u00e9`."),
    ("expected '<document start>'", "nothing may follow the end of the document", "Check the indentation."),
    ("expected the node content", "a value is missing here", ""),
    ("found unknown directive", "YAML directives are not used here", "Remove the line with `%`."),
    ("found undefined tag handle", "tags (`!`) are not used here", _QUOTES),
    ("expected chomping", "after `|` or `>` only `-`, `+` or a digit may follow", _QUOTES),
    ("expected a comment or a line break", "nothing more may follow on this line", _QUOTES),
)


def explain(error: yaml.MarkedYAMLError, *, private: bool) -> tuple[Mark, str, str]:
    """Place, message and suggestion; nothing of the text itself where the file is private."""
    where = error.problem_mark or error.context_mark
    mark = Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)
    problem = error.problem or ""
    for start, message, suggestion in _WORDS:
        if problem.startswith(start) or start in problem:
            return mark, _with_beginning(error, mark, message), suggestion
    return mark, "this is not YAML" + ("" if private or not problem else f": {problem}"), ""


def _with_beginning(error: yaml.MarkedYAMLError, mark: Mark, message: str) -> str:
    """The message and, where that helps, the line where the unfinished thing began."""
    begun = error.context_mark
    if begun is None or begun.line + 1 == mark.line or not ("quoted" in message or "closing" in message):
        return message
    return f"{message} (it began in line {begun.line + 1}, column {begun.column + 1})"
