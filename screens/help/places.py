"""The places where keys do something, and what each place is for. Their keys come from their bindings."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from textual.dom import DOMNode


@dataclass(frozen=True, slots=True)
class Place:
    """Something that has keys."""

    title: str
    cls: str
    """`module:class`, imported when the help is opened."""
    told: str = ""

    def load(self) -> type[DOMNode]:
        """The class."""
        module, _, name = self.cls.partition(":")
        loaded: type[DOMNode] = getattr(import_module(f"screens.{module}"), name)
        return loaded


DRIVER = Place("The run", "run_screen:RunScreen")
WITNESS = Place("The run, as its witness", "witness_screen:WitnessScreen")
PLACES = (
    Place("The list of steps", "widgets.step_list:StepList", "The page beside it follows."),
    Place("The page of a step", "widgets.step_detail:StepDetail"),
    Place("Live output", "widgets.live_output:LiveOutput", "It follows the end unless it is scrolled up."),
    Place("What is true in the room", "widgets.facts_panel:FactsPanel", "Facts, inputs, windows and people."),
    Place("The journal", "widgets.journal_panel:JournalPanel", "What was done, word for word; it follows the end."),
    Place("While you type what you seek", "search.bar:SearchEntry", "Enter goes there. Case makes no difference."),
    Place("While something is sought", "search.searched:Body"),
    Place("The command palette", "palette.palette:Palette", "Type parts of a name; Enter does it."),
    Place("This help", "help_screen:HelpScreen"),
    Place("A line of the help's search", "help_screen:HelpEntry"),
)
PROMPT = Place("Every prompt", "prompts.prompt:Prompt", "Leaving one sends nothing and changes nothing.")
IN_PROMPTS = (
    Place("Answers of a prompt", "prompts.answer:Answer", "The safe one has the focus first."),
    Place("A list to choose from", "prompts.choice:Choices"),
    Place("Lines of a list", "prompts.rows:Rows"),
    Place("Statements to confirm", "prompts.attest:Checklist", "Each is answered for itself."),
    Place("Items of a checklist", "prompts.checklist:Ticks"),
    Place("The page before the point of no return", "prompts.point_of_no_return:PointOfNoReturnPrompt"),
)
PROMPTS = (
    Place("A PIN", "prompts.pin:PinPrompt", "Sent once, for one attempt; never shown, never stored."),
    Place("A password", "prompts.secret:SecretPrompt", "Never shown, never stored."),
    Place("What a paper says", "prompts.transcribe:TranscribePrompt", "You type it before the program shows its own."),
    Place("A phrase", "prompts.phrase:PhrasePrompt", "Typed under itself, letter by letter; never pasted."),
    Place(
        "The point of no return",
        "prompts.point_of_no_return:PointOfNoReturnPrompt",
        "What will be done, exactly; what is so now; the way back.",
    ),
    Place("Statements", "prompts.attest:AttestPrompt", "You say that each is so, under your name."),
    Place("A checklist", "prompts.checklist:ChecklistPrompt", "What is not yet done can be marked as that."),
    Place("A comparison", "prompts.compare:ComparePrompt", "Row by row, column by column: are both the same?"),
    Place("A choice", "prompts.choice:ChoicePrompt", "The first one is the safe one."),
    Place("A question", "prompts.confirm:ConfirmPrompt", "No is the safe answer."),
    Place("A reason", "prompts.reason:ReasonPrompt", "It is kept as a deviation."),
    Place("A line", "prompts.line:LinePrompt", "A note, a value, a path. It is kept in the record."),
    Place(
        "A witness is waited for", "prompts.witness:WitnessPrompt", "The second person answers from their own session."
    ),
    Place(
        "What a witness approves", "prompts.approval:ApprovalPrompt", "Signed with your own key, for this step alone."
    ),
    Place("What is to be copied", "clipboard:CopyPrompt", "It goes to the clipboard of your terminal."),
    Place("Leaving a run", "prompts.quit:QuitPrompt", "A run that is left can go on later."),
)
