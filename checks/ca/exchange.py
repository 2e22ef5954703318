"""One request and its answer over a connection of its own (RFC 9112), blocking: for a thread.

Nothing of the environment has a say: no proxy, no netrc. No redirection is followed and no content coding is asked for.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, ReadTimeoutError

from checks.ca.errors import (
    AnotherName,
    AnotherRoot,
    BrokenAnswer,
    NoAddress,
    NotInTime,
    NotValidNow,
    ServerError,
    TlsRefused,
    TooLarge,
    Unreachable,
)
from checks.ca.place import Place
from checks.ca.trust import Trust
from runbook.text import clean_line

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

_PIECE = 65536

# The reasons of X509_STORE_CTX_get_error(3).
_NOT_VALID_NOW = frozenset({9, 10})
_ANOTHER_NAME = frozenset({62, 64})
_NO_WAY_TO_ROOT = frozenset({2, 7, 18, 19, 20, 21, 24, 29, 30})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case names; of one that comes several times, the first."""
    body: bytes = field(repr=False)
    tls: str
    """Protocol and cipher suite, for example `TLSv1.3, TLS_AES_128_GCM_SHA256`."""
    certificate: bytes = field(repr=False)
    """The server's own, DER."""
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    """From the server's own to the root that it leads to, DER; where nobody is trusted, what it has shown."""


class Exchange:
    """One request; `abort` from another thread makes it end."""

    def __init__(self, place: Place, trust: Trust, seconds: float) -> None:
        self._place = place
        self._trust = trust
        self._until = time.monotonic() + seconds
        self._connection: HTTPSConnection | None = None
        self._given_up = False

    def abort(self) -> None:
        """Whatever it waits for, let it fail."""
        self._given_up = True
        connection = self._connection
        line = connection.sock if connection is not None else None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, limit: int) -> Answer:
        """Raises the ServerError that fits; an answer of more than `limit` bytes is an error."""
        connection = self._connected()
        try:
            line = connection.sock
            assert isinstance(line, ssl.SSLSocket)  # noqa: S101 - without a proxy nothing else is made
            suite = line.cipher()
            tls = f"{line.version()}, {suite[0] if suite else 'no cipher'}"
            certificate = line.getpeercert(binary_form=True) or b""
            chain = _chain(line, verified=self._trust.roots is not None) or (certificate,)
            connection.request(
                method,
                target,
                body=body,
                headers={"Host": self._place.authority, "Connection": "close", **headers},
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            content = self._read(response, limit)
        except (TimeoutError, ReadTimeoutError):
            raise self._not_in_time() from None
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            if self._given_up:
                raise self._not_in_time() from None
            raise BrokenAnswer(
                f"its answer cannot be read: {_said(error)}",
                where=self._place.shown,
                remedy="Look which service listens there, and at its log.",
            ) from None
        finally:
            connection.close()
        first = {name.lower(): clean_line(value, 500) for name, value in reversed(list(response.headers.items()))}
        return Answer(response.status, first, content, tls, certificate, chain)

    def _read(self, response: HTTPResponse, limit: int) -> bytes:
        content = bytearray()
        while piece := response.read(min(_PIECE, limit + 1), decode_content=False):
            content += piece
            if len(content) > limit:
                raise TooLarge(f"its answer has more than {limit} bytes", where=self._place.shown)
            self._left()
        return bytes(content)

    def _connected(self) -> HTTPSConnection:
        """A line with the server behind it whose certificate is what the trust asks for."""
        try:
            return self._connect(self._trust)
        except NameResolutionError:
            raise NoAddress(
                f"the name {self._place.at[0]} is not known",
                where=self._place.shown,
                remedy="Look at the name and at this machine's resolver.",
            ) from None
        except NewConnectionError as error:  # also a ConnectTimeoutError
            raise self._unreachable(error) from None
        except (TimeoutError, ConnectTimeoutError):
            raise self._not_in_time() from None
        except ssl.SSLCertVerificationError as error:
            raise self._not_trusted(error) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
            raise Unreachable(
                "it hangs up before TLS is agreed on",
                where=self._place.shown,
                remedy="Is the service up? What stands before it may have nothing behind it.",
            ) from None
        except ssl.SSLError as error:
            plain = error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"}
            raise TlsRefused(
                "what listens there does not speak TLS" if plain else f"no TLS could be agreed on: {_said(error)}",
                where=self._place.shown,
                remedy="Look which service listens on that port.",
            ) from None
        except (HTTPError, OSError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> ServerError:
        if self._given_up:
            return self._not_in_time()
        return Unreachable(
            f"nothing answers: {_said(error)}",
            where=self._place.shown,
            remedy="Is the service up, and is the port open from here?",
        )

    def _connect(self, trust: Trust) -> HTTPSConnection:
        host, port = self._place.at
        connection = HTTPSConnection(
            host,
            port,
            timeout=self._left(),
            ssl_context=trust.context(),
            server_hostname=self._place.name,
            assert_hostname=None if trust.roots is not None else False,
        )
        self._connection = connection
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def _not_trusted(self, error: ssl.SSLCertVerificationError) -> ServerError:
        """The error that fits, with what the certificate says of itself."""
        said, presented = clean_line(error.verify_message), self._presented()
        whose = f" ({describe(presented)})" if presented else ""
        where = self._place.shown
        if error.verify_code in _NO_WAY_TO_ROOT:
            return AnotherRoot(
                f"its certificate{whose} does not lead to {self._trust.shown}: {said}",
                where=where,
                remedy="Stop and find out who answers there: the wrong host, or somebody who took its place.",
            )
        if error.verify_code in _ANOTHER_NAME:
            return AnotherName(
                f"its certificate{whose} is for another name than {self._place.name}",
                where=where,
                remedy="Look at the URL, and which host answers there.",
            )
        if error.verify_code in _NOT_VALID_NOW:
            return NotValidNow(
                f"its certificate{whose} cannot be used now: {said}",
                where=where,
                remedy="Compare the clocks, and look whether it was renewed.",
            )
        return TlsRefused(f"its certificate{whose} cannot be trusted: {said}", where=where)

    def _presented(self) -> bytes:
        """The certificate that it shows to whoever asks, DER; empty: it could not be had."""
        with contextlib.suppress(ServerError, HTTPError, OSError):
            connection = self._connect(Trust.anybody())
            try:
                line = connection.sock
                if isinstance(line, ssl.SSLSocket):
                    return line.getpeercert(binary_form=True) or b""
            finally:
                connection.close()
        return b""

    def _left(self) -> float:
        """Seconds; raises NotInTime."""
        left = self._until - time.monotonic()
        if left <= 0 or self._given_up:
            raise self._not_in_time()
        return left

    def _not_in_time(self) -> NotInTime:
        return NotInTime(
            "it did not answer in time",
            where=self._place.shown,
            remedy="Is the service well, and does a firewall drop what is sent there?",
        )


def _chain(line: ssl.SSLSocket, *, verified: bool) -> tuple[bytes, ...]:
    """The certificates of the server, DER, its own first; empty: this Python does not tell."""
    name = "get_verified_chain" if verified else "get_unverified_chain"
    if ask := getattr(line, name, None):  # from Python 3.13 on
        return tuple(ask())
    ask = getattr(getattr(line, "_sslobj", None), name, None)  # what that is made from, there since 3.10
    return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in ask() or ()) if ask else ()


def describe(certificate: bytes) -> str:
    """Subject, issuer and fingerprint of a certificate (DER) in words; it is foreign, and may be anything."""
    import hashlib

    from cryptography import x509

    digest = f"SHA-256 {hashlib.sha256(certificate).hexdigest()}"
    try:
        found = x509.load_der_x509_certificate(certificate)
        names = f"{found.subject.rfc4514_string() or 'no subject'}, issued by {found.issuer.rfc4514_string()}, "
    except ValueError:
        names = ""
    return clean_line(f"{names}{digest}", 600)


def _said(error: Exception) -> str:
    """The core of an error's message."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return clean_line(error.reason.replace("_", " ").lower())
    cause = error.__cause__ if isinstance(error, HTTPError) and error.__cause__ is not None else error
    if isinstance(cause, OSError) and cause.strerror:
        return clean_line(cause.strerror)
    return clean_line(str(cause) or type(cause).__name__, 200)
