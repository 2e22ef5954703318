"""The lab's files of the CA."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.site_files import SiteFiles


@pytest.fixture
def site(tmp_path: Path) -> SiteFiles:
    return SiteFiles(tmp_path)
