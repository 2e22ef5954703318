"""The looks of the screens, one a file."""
