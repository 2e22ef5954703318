"""What can be checked and done, by family. No user interface."""
