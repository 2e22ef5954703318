"""The terminal as it is: keys, lines, the foreground, and the end of a program that does not answer."""
