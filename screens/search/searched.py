"""A screen in which one can search: the line opens at its foot, and escape ends the search."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

if TYPE_CHECKING:
    from screens.search.bar import SearchBar
    from screens.search.grounds import Ground


class SearchedScreen(Screen[None]):
    """Holds a `Body`, and at its foot something with the id `bottom`."""

    def __init__(self) -> None:
        super().__init__()
        self._search: SearchBar | None = None

    @abstractmethod
    def ground(self) -> Ground:
        """Where is searched, by what has the focus."""

    async def action_search(self) -> None:
        """Seek in the steps, or in what has the focus."""
        from screens.search.bar import SearchBar

        ground = self.ground()
        if self._search is None:
            self._search = SearchBar()
            await self.query_one("#bottom").mount(self._search, before=0)
        self._search.begin(ground)

    def action_found(self, direction: int) -> None:
        if self._search is not None:
            self._search.onward(direction)

    @property
    def may_end_search(self) -> bool:
        """Whether something is sought."""
        return self._search is not None and self._search.active

    def end_search(self) -> None:
        if self._search is not None:
            self._search.end()
            self.refresh_bindings()


class Body(Horizontal):
    """What is searched; escape ends a search in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "end_search", "end the search", show=False, id="search.end"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        return not isinstance(self.screen, SearchedScreen) or action != "end_search" or self.screen.may_end_search

    def action_end_search(self) -> None:
        if isinstance(self.screen, SearchedScreen):
            self.screen.end_search()
