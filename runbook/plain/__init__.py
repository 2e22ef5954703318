"""A run without screens: numbered lines and questions, or answers from a file; also for screen readers."""
