"""Who takes part in a run, and how a second person follows it and approves (design §7, docs/approval.md)."""
