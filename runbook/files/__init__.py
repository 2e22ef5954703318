"""A runbook and a site profile as files: read strictly, checked whole, every problem at its place (design §6)."""
