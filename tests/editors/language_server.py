"""A client of the YAML language server, as an editor has it: JSON-RPC over stdin and stdout (LSP 3.17)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

DEADLINE = 60.0
"""Seconds that any answer may take."""

SETTINGS = {
    "yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}},
    "http": {"proxy": "", "proxyStrictSSL": True},
}

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A diagnostic: where it begins (line and column from 0), the text it is drawn under, and what it says."""

    line: int
    column: int
    under: str
    says: str


class Editor:
    """One language server with the documents that are open in it."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self._server = server
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._asked = 0
        self._versions: dict[str, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": False, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True},
        }
        self.ask("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities})
        self._tell("initialized", {})
        while self._next().get("method") != "workspace/configuration":
            pass  # with its settings it would look once more at what is open

    def open(self, path: Path, text: str | None = None) -> list[Found]:
        """Open the file (or `text` under its name, or the changed text), and wait for what the server thinks of it."""
        uri, known = path.as_uri(), path.as_uri() in self._versions
        said = path.read_text(encoding="utf-8") if text is None else text
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if known:
            change = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": said}]}
            self._tell("textDocument/didChange", change)
        else:
            item = {"uri": uri, "languageId": "yaml", "version": version, "text": said}
            self._tell("textDocument/didOpen", {"textDocument": item})
        # It tells once of each text, some time after it came, and nothing of one that was changed meanwhile.
        while True:
            message = self._next()
            params = message.get("params", {})
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri:
                return [_found(entry, said.splitlines()) for entry in params["diagnostics"]]

    def complete(self, path: Path, line: int, column: int) -> dict[str, Message]:
        """What is proposed at the place (from 0), by its label."""
        answer = self.ask("textDocument/completion", _place(path, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: item for item in items}

    def hover(self, path: Path, line: int, column: int) -> str:
        """What is told of the place (from 0), in Markdown; empty: nothing."""
        answer = self.ask("textDocument/hover", _place(path, line, column))
        return str(answer["contents"]["value"]) if answer else ""

    def ask(self, method: str, params: Message) -> Any:
        self._asked += 1
        number = self._asked
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    def _next(self) -> Message:
        """The server's next message; what it asks of an editor is answered on the way."""
        try:
            message = self._inbox.get(timeout=DEADLINE)
        except Empty:
            raise AssertionError(f"the language server said nothing for {DEADLINE:.0f} s") from None
        if "id" in message and "method" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    @staticmethod
    def _answer(message: Message) -> Any:
        if message["method"] == "workspace/configuration":
            return [SETTINGS.get(item.get("section", ""), {}) for item in message["params"]["items"]]
        return None

    def _tell(self, method: str, params: Message) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _listen(self) -> None:
        stream = self._server.stdout
        assert stream is not None
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
                line = stream.readline()
            self._inbox.put(json.loads(stream.read(length)))


@contextmanager
def editor(packages: Path) -> Iterator[Editor]:
    """An editor with the server from the npm packages in that folder."""
    node = shutil.which("node")
    assert node, "node is missing"
    program = packages / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    with subprocess.Popen([node, str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            yield Editor(server)
        finally:
            server.kill()


def _place(path: Path, line: int, column: int) -> Message:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}


def _found(diagnostic: Message, lines: list[str]) -> Found:
    start, end = diagnostic["range"]["start"], diagnostic["range"]["end"]
    line = lines[start["line"]] if start["line"] < len(lines) else ""
    until = end["character"] if end["line"] == start["line"] else len(line)
    return Found(start["line"], start["character"], line[start["character"] : until], diagnostic["message"])
