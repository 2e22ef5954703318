"""The worker of one token: started when it is needed, replaced when it failed, and what became of the login."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from checks.hsm import errors, wire
from checks.hsm.failures import is_harmless, line_error, module_error, token_error
from checks.hsm.place import Place
from checks.hsm.process import Died, Hung, WorkerProcess
from runbook.secrets import Redactor
from runbook.text import clean_line

_LAST_WORDS: Final = 400
"""Characters shown of what a module printed before it ended."""

_R = TypeVar("_R", bound=wire.Response)


class Link:
    """Calls to the worker, which raise the TokenError that fits; nothing here ever sends a request twice."""

    def __init__(
        self, where: str, module: str, place: Place, redactor: Redactor, *, deadline: float, loading: float
    ) -> None:
        self.deadline = deadline
        self.loading = loading
        self.logged_in = False
        self.login_lost = ""
        """Why an earlier login is gone; empty when there was none or it still holds."""
        self.target: wire.Target | None = None
        """The slot that the token was found in by this worker."""
        self.worker: WorkerProcess | None = None
        self._pcsc: bool | None = None
        """Whether the module uses PC/SC; None until it was loaded once."""
        self._where = where
        self._module = module
        self._place = place
        self._redactor = redactor
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def alive(self) -> bool:
        """Whether there is a worker that can be asked."""
        return self.worker is not None and not (self.worker.line and self.worker.line.ended)

    async def running(self) -> WorkerProcess:
        """The worker, started if there is none. Raises the Module… errors, and what `Place.start` raises."""
        if self.worker and not self.alive:
            await self.retire(self.worker, "the line to the token's host was lost")
        if self.worker is None:
            module = self._module
            worker = self.worker = await self._place.start()
            try:
                greeting = await worker.greeting(self.loading)
            except Hung:
                await self.retire(worker, "")
                what = f"loading {module} took longer than {self.loading:g} s{self._words(worker)}"
                raise await self.explained(errors.ModuleNotResponding(what, where=self._where)) from None
            except Died as died:
                await self.retire(worker, "")
                raise errors.ModuleCrashed(
                    f"loading {module} ended its process: it {died.how}{self._words(worker)}", where=self._where
                ) from None
            except asyncio.CancelledError:
                self._abandon(worker, "")
                raise
            if isinstance(greeting, wire.Failure):
                await self.retire(worker, "")
                if worker.line and worker.line.ended:
                    raise self._place.unloaded(worker.line.ended)
                raise module_error(greeting, module, self._where, self._redactor)
            if worker.line is None:
                self._pcsc = isinstance(greeting, wire.Ready) and greeting.pcsc
        return self.worker

    async def call(self, request: wire.Request, expected: type[_R], *, deadline: float | None = None) -> _R:
        """One request and its answer."""
        worker, pending = await self.send(request)
        return await self.answer(worker, pending, type(request).__name__, expected, deadline=deadline)

    async def send(self, request: wire.Request) -> tuple[WorkerProcess, asyncio.Future[wire.Answer]]:
        """Only send it; one sender at a time, while any number of callers wait for their answers."""
        worker = await self.running()
        try:
            return worker, await worker.send(request, self.deadline)
        except Hung:
            raise await self._hung(worker, type(request).__name__, self.deadline) from None
        except asyncio.CancelledError:
            self._abandon(worker, "the call was cancelled and its worker replaced")
            raise

    async def answer(
        self,
        worker: WorkerProcess,
        pending: asyncio.Future[wire.Answer],
        operation: str,
        expected: type[_R],
        *,
        deadline: float | None = None,
    ) -> _R:
        """What the worker answers; `deadline` in seconds where it is not that of every call."""
        try:
            answer = await worker.answer(pending, deadline or self.deadline)
        except Hung:
            raise await self._hung(worker, operation, deadline or self.deadline) from None
        except Died as died:
            await self.retire(worker, "its worker ended and was replaced")
            raise errors.WorkerCrashed(
                f"the worker {died.how} during `{operation}`{self._words(worker)}", where=self._where
            ) from None
        except asyncio.CancelledError:
            self._abandon(worker, "the call was cancelled and its worker replaced")
            raise
        if isinstance(answer, expected):
            return answer
        if isinstance(answer, wire.Failure):
            raise await self._error(worker, answer, operation)
        await self.retire(worker, "its worker gave a wrong answer and was replaced")
        raise errors.WorkerCrashed(f"the worker answered `{operation}` with something else", where=self._where)

    async def explained(self, error: errors.TokenError) -> errors.TokenError:
        """The error with its cause, where this host shows it; modules that do not use PC/SC are not asked about it."""
        if self._pcsc is False:
            return error
        return await self._place.explained(error)

    async def retire(self, worker: WorkerProcess | None, why: str) -> None:
        """Kill this worker; the next call starts a fresh one."""
        if worker:
            self._forget(worker, why)
            await worker.kill()

    async def close(self) -> None:
        """Let the worker leave; bounded, never raises."""
        worker, self.worker, self.target = self.worker, None, None
        if worker:
            await worker.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _abandon(self, worker: WorkerProcess, why: str) -> None:
        """As `retire`, without waiting."""
        self._forget(worker, why)
        task = asyncio.create_task(worker.kill())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _forget(self, worker: WorkerProcess, why: str) -> None:
        if self.worker is not worker:
            return
        self.worker = self.target = None
        if self.logged_in:
            self.login_lost = why
        self.logged_in = False

    async def _hung(self, worker: WorkerProcess, operation: str, deadline: float) -> errors.TokenError:
        await self.retire(worker, "the token did not answer and its worker was replaced")
        what = f"`{operation}` got no answer within {deadline:g} s; the worker was killed{self._words(worker)}"
        return await self._explained(errors.TokenNotResponding(what, where=self._where), operation)

    async def _explained(self, error: errors.TokenError, operation: str) -> errors.TokenError:
        """What a PIN met is never told as something else."""
        return error if operation in ("Login", "ResetPin") else await self.explained(error)

    async def _error(self, worker: WorkerProcess, failure: wire.Failure, operation: str) -> errors.TokenError:
        """The typed error for a refusal; after any but a clear no, the worker is replaced."""
        if worker.line and worker.line.ended and not is_harmless(failure):
            await self.retire(worker, "the line to the token's host was lost")
            return line_error(worker.line.ended, operation, self._where, self._redactor, after_pin=failure.sent)
        error = token_error(failure, operation, self._where, self._redactor)
        if isinstance(error, errors.TokenRemoved | errors.TokenSwapped):
            await self.retire(worker, "the token was removed, reset or swapped")
        elif isinstance(error, errors.NotLoggedIn) and self.logged_in:
            await self.retire(worker, "the token ended it")
        elif not is_harmless(failure):
            await self.retire(worker, "the token failed and its worker was replaced")
        return await self._explained(error, operation)

    def _words(self, worker: WorkerProcess) -> str:
        printed = self._redactor(worker.printed)[-_LAST_WORDS:]
        return f". Its last words: {clean_line(printed)}" if printed else ""
