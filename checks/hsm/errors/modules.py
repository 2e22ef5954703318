"""What can go wrong with a PKCS#11 module and with the worker that holds it."""

from __future__ import annotations

from checks.hsm.errors.base import TokenError


class ModuleMissing(TokenError):
    """There is no file at the module's path."""

    symptom = "module missing"
    advice = "Install the package that provides the module, or correct `module` in the site profile."


class NotAPkcs11Module(TokenError):
    """The file is no shared library, or one without C_GetFunctionList."""

    symptom = "not a PKCS#11 module"
    advice = "Point `module` in the site profile at the PKCS#11 library, for example opensc-pkcs11.so."


class ModuleCrashed(TokenError):
    """The process ended while it loaded the module."""

    symptom = "module crashed"
    advice = "Try the module with `pkcs11-tool --module PATH -L`; reinstall or replace it."


class ModuleFailed(TokenError):
    """C_Initialize or C_GetInfo gave an error."""

    symptom = "module failed"
    advice = "Read the module's configuration and environment (`env` in the site profile)."


class ModuleNotResponding(TokenError):
    """Loading the module passed the deadline."""

    symptom = "module not responding"
    advice = "Try the module with `pkcs11-tool --module PATH -L`; look whether pcscd or its server answers."


class TokenNotResponding(TokenError):
    """A call passed its deadline; its worker was killed."""

    symptom = "token not responding"
    advice = "Replug the token and retry; a login made before is lost."


class WorkerCrashed(TokenError):
    """The worker process ended during a call."""

    symptom = "worker crashed"
    advice = "Retry: a fresh worker is started; a login made before is lost."
