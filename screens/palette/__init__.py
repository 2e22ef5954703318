"""The command palette: everything that can be done now, by name."""
