"""What happened, on disk: events, the journal they are chained into, and what is read back from it (design §8)."""
