"""The keys that work here and now, on one line."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from screens.words import CALM, QUIET


class KeyBar(Widget):
    """Keys with what they do; it follows the focus and the state, and drops the last ones where room is short.

    Under a prompt it is empty: the prompt has keys of its own, and letters are typed into it.
    """

    ALLOW_SELECT = False

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        line = Content(" ")
        if self.app.screen is not self.screen:
            return line
        shown: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled or binding.action in shown:
                continue
            shown.add(binding.action)
            key = self.app.get_key_display(binding)
            item = Content.assemble((key, f"bold {CALM}"), (f" {binding.description}   ", QUIET))
            if line.cell_length + item.cell_length - 3 > self.size.width:
                break
            line += item
        return line
