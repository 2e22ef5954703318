"""The names of the site, which the front door answers for in a lab."""

from __future__ import annotations

from typing import Final

CA_NAME: Final = "ca.ccat.uni-koeln.de"
AUTH_NAME: Final = "auth.ccat.uni-koeln.de"
ISSUER: Final = f"https://{AUTH_NAME}"
"""Dex's, as step-ca has to find it."""
