"""The widgets of the run screen."""
