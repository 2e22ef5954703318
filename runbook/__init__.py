"""What a runbook is and how it is walked: no device, no network, no user interface."""
