"""The Textual application: one screen or widget a file, its style in `style/*.tcss`."""
