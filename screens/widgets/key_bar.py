"""The keys that work here and now, on one line."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from screens.words import CALM, QUIET

GAP = "   "
"""Between two of them."""

HELP = "app.help"
"""What leads to all that there was no room for."""


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
        if self.app.screen is not self.screen:
            return Content(" ")
        items: dict[str, Content] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in items:
                key = self.app.get_key_display(binding)
                items[binding.action] = Content.assemble((key, f"bold {CALM}"), (f" {binding.description}", QUIET))
        return Content.assemble(" ", Content(GAP).join(self._fitting(items)))

    def _fitting(self, items: dict[str, Content]) -> list[Content]:
        """Those that there is room for; the help is always among them."""
        shown, room = [], self.size.width - 1
        kept = items[HELP].cell_length + len(GAP) if HELP in items else 0
        for action, item in items.items():
            if action == HELP:
                kept = 0
            if item.cell_length + kept > room:
                break
            shown.append(item)
            room -= item.cell_length + len(GAP)
        return [*shown, items[HELP]] if kept else shown
