"""The applet: which instruction is which command, and what happens before and after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rehearsal.card import commands_device, commands_files, commands_keys, commands_pin
from rehearsal.card.apdu import SW, Command, Refused, Response
from rehearsal.card.session import Session

ATR: Final = bytes.fromhex("3BDE18FF8191FE1FC38031815448534D317380214081071C")
"""The answer to reset of a SmartCard-HSM on JCOP 3, by which OpenSC knows it."""

_ISO: Final = 0x00
_OWN: Final = 0x80


@dataclass(frozen=True)
class Instruction:
    """A command the applet knows: its name in logs, and what carries it out."""

    name: str
    run: Callable[[Session, Command], Response]


INSTRUCTIONS: Final[dict[tuple[int, int], Instruction]] = {
    (_ISO, 0xA4): Instruction("SELECT", commands_files.select),
    (_ISO, 0xB1): Instruction("READ BINARY", commands_files.read_binary),
    (_ISO, 0xD7): Instruction("UPDATE BINARY", commands_files.update_binary),
    (_ISO, 0xE4): Instruction("DELETE FILE", commands_files.delete_file),
    (_OWN, 0x58): Instruction("ENUMERATE OBJECTS", commands_files.enumerate_objects),
    (_ISO, 0x20): Instruction("VERIFY", commands_pin.verify),
    (_ISO, 0x24): Instruction("CHANGE REFERENCE DATA", commands_pin.change_reference_data),
    (_ISO, 0x2C): Instruction("RESET RETRY COUNTER", commands_pin.reset_retry_counter),
    (_ISO, 0x46): Instruction("GENERATE ASYMMETRIC KEY PAIR", commands_keys.generate_key_pair),
    (_OWN, 0x68): Instruction("SIGN", commands_keys.sign),
    (_OWN, 0x62): Instruction("DECIPHER", commands_keys.decipher),
    (_ISO, 0x84): Instruction("GET CHALLENGE", commands_keys.get_challenge),
    (_OWN, 0x50): Instruction("INITIALIZE DEVICE", commands_device.initialize_device),
    (_OWN, 0x52): Instruction("IMPORT DKEK SHARE", commands_device.import_dkek_share),
    (_OWN, 0x54): Instruction("MANAGE PUBLIC KEY AUTHENTICATION", commands_device.public_key_authentication),
}
_SELECT_INS: Final = 0xA4
_SELECT: Final = INSTRUCTIONS[_ISO, _SELECT_INS]


FOREIGN_ATR: Final = bytes.fromhex("3B8480014F74687224")
"""The answer to reset of a card that no middleware knows."""


def describe(command: Command) -> str:
    """A command without its data: `VERIFY 00 81`, with a + when data came with it."""
    known = INSTRUCTIONS.get((command.cla, command.ins))
    name = known.name if known else f"UNKNOWN {command.cla:02X} {command.ins:02X}"
    return f"{name} {command.p1:02X} {command.p2:02X}{' +' if command.data else ''}"


def answer(card: Session, command: Command) -> Response:
    """What the card answers; never raises but what `card.spent` raises."""
    try:
        response = _instruction(card, command).run(card, command)
    except Refused as refused:
        return Response(status=refused.status)
    return response if len(response.data) <= command.expected else Response(status=SW.WRONG_LENGTH)


def _instruction(card: Session, command: Command) -> Instruction:
    if card.state.foreign:
        raise Refused(SW.FILE_NOT_FOUND if command.ins == _SELECT_INS else SW.INSTRUCTION_NOT_SUPPORTED)
    if command.cla not in {_ISO, _OWN}:
        raise Refused(SW.CLASS_NOT_SUPPORTED)
    instruction = INSTRUCTIONS.get((command.cla, command.ins))
    # The applet is not selected by default; without it the card has nothing but SELECT.
    if instruction is None or not (card.selected or instruction is _SELECT):
        raise Refused(SW.INSTRUCTION_NOT_SUPPORTED)
    return instruction
