"""Judged files, for pictures."""

from __future__ import annotations

from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from runbook.outcome import Evidence


def right(text: str) -> DocumentFinding:
    return DocumentFinding(state=Said.RIGHT, text=text)


HEALTH = (
    "    healthcheck: { test: [CMD, step, ca, health, --ca-url=https://ca.ccat.uni-koeln.de, "
    "--root=/home/step/certs/root_ca.crt], timeout: 10s, retries: 3, interval: 5s, start_period: 60s }"
)

WRONG = DocumentJudged(
    path="/home/driver/system-integration/docker-compose.ca.yml",
    on="local",
    format="Compose",
    sha256="0f" * 32,
    findings=(
        DocumentFinding(
            state=Said.WRONG,
            text="user is 1000:1000, expected 0:0",
            line=11,
            column=11,
            excerpt='    user: "1000:1000"',
            before=("  step-ca:", "    image: ccat-step-ca:hsm"),
            after=("    env_file: .env", "    environment:"),
            because="pcscd needs root for the USB device.",
        ),
        DocumentFinding(
            state=Said.WRONG,
            text="the health check gives up after 10s, expected at least 30s",
            line=34,
            column=HEALTH.index("10s") + 1,
            excerpt=HEALTH,
            before=("    restart: unless-stopped",),
            after=("    volumes:", "      - step-ca-data:/home/step"),
        ),
        DocumentFinding(state=Said.WRONG, text="step-ca/softhsm2.conf is still in the tree"),
        DocumentFinding(state=Said.REMARK, text="what `env_file` brings along is not looked at", line=12, column=5),
        right("build.context is ./step-ca"),
        right("build.dockerfile is Dockerfile.hsm"),
    ),
)

JUDGED: tuple[Evidence, ...] = (
    WRONG.model_copy(update={"findings": (right("address is :9000"), right("enableAdmin is false"))}),
    WRONG,
    WRONG.model_copy(
        update={"sha256": "", "findings": (DocumentFinding(state=Said.WRONG, text="there is no such file"),)}
    ),
)
