"""Further runbooks shipped with the program."""
