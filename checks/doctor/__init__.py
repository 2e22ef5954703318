"""What a machine has of the things that a run needs: looked at, never changed, no PIN and no login."""
