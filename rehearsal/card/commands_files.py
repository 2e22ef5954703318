"""SELECT, READ BINARY, UPDATE BINARY, DELETE FILE (ISO 7816-4 §7.1, §7.2; 7816-9 §6.4) and ENUMERATE OBJECTS."""

from __future__ import annotations

from typing import Final

from rehearsal.card import files, tlv
from rehearsal.card.apdu import SW, Command, Refused, Response
from rehearsal.card.session import Session

APPLET: Final = bytes.fromhex("E82B0601040181C31F0201")

_BY_IDENTIFIER = {0x00, 0x02, 0x08}
_BY_NAME = 0x04
_NO_ANSWER = 0x0C


def select(card: Session, command: Command) -> Response:
    """SELECT: the applet by its name, which ends a login, or a file by its identifier."""
    if command.p1 == _BY_NAME:
        if not command.data or not APPLET.startswith(command.data):
            raise Refused(SW.FILE_NOT_FOUND)
        card.reset()
        card.selected = True
        return _answer(command, _applet_parameters(card))
    if not card.selected:
        raise Refused(SW.FILE_NOT_FOUND)
    if command.p1 not in _BY_IDENTIFIER:
        raise Refused(SW.WRONG_P1_P2)
    if len(command.data) != 2:  # a path, and there are no folders
        raise Refused(SW.FILE_NOT_FOUND)
    identifier = int.from_bytes(command.data)
    if not files.exists(card.state, identifier):
        raise Refused(SW.FILE_NOT_FOUND)
    card.current = identifier
    return _answer(command, _file_parameters(card, identifier))


def read_binary(card: Session, command: Command) -> Response:
    """READ BINARY with an odd INS: from the offset, as much as is asked for and there."""
    offset, _content = files.offset_and_content(command.data)
    identifier = command.p1_p2 or card.current
    if identifier is None:
        raise Refused(SW.NO_CURRENT_FILE)
    data = files.content(card.state, identifier, verified=card.verified)
    card.current = identifier
    if offset > len(data):
        raise Refused(SW.WRONG_OFFSET)
    part = data[offset : offset + command.expected]
    return Response(part, SW.OK if len(part) == command.expected else SW.END_OF_FILE)


def update_binary(card: Session, command: Command) -> Response:
    """UPDATE BINARY with an odd INS: makes the file when there is none."""
    card.require_login()
    offset, content = files.offset_and_content(command.data)
    identifier = command.p1_p2 or card.current
    if identifier is None:
        raise Refused(SW.NO_CURRENT_FILE)
    files.store(card.state, identifier, offset, content)
    card.file.save()
    card.current = identifier
    return Response()


def delete_file(card: Session, command: Command) -> Response:
    """DELETE FILE by identifier; for a key's identifier the key itself."""
    card.require_login()
    if len(command.data) != 2:
        raise Refused(SW.WRONG_LENGTH)
    identifier = int.from_bytes(command.data)
    files.delete(card.state, identifier)
    card.file.save()
    if card.current == identifier:
        card.current = None
    return Response()


def enumerate_objects(card: Session, command: Command) -> Response:
    """ENUMERATE OBJECTS (SmartCard-HSM user manual): the identifiers of all keys and files, two bytes each."""
    if command.p1_p2:
        raise Refused(SW.WRONG_P1_P2)
    return Response(b"".join(identifier.to_bytes(2) for identifier in files.identifiers(card.state)))


def _answer(command: Command, parameters: bytes) -> Response:
    return Response() if command.p2 == _NO_ANSWER or not command.expected else Response(parameters)


def _applet_parameters(card: Session) -> bytes:
    # Tag 85 ends in options, platform and version; middleware counts them from its end.
    version = card.state.options + b"\xff" + bytes(card.state.applet_version)
    return tlv.encode(0x6F, tlv.encode(0x82, b"\x78\x00"), tlv.encode(0x84, APPLET), tlv.encode(0x85, version))


def _file_parameters(card: Session, identifier: int) -> bytes:
    size = len(card.state.files.get(files.name(identifier), b""))
    return tlv.encode(
        0x62,
        tlv.encode(0x80, size.to_bytes(2)),
        tlv.encode(0x82, b"\x01\x00"),
        tlv.encode(0x83, identifier.to_bytes(2)),
    )
