"""The full lab: besides what every lab has, a Docker engine of its own and the real step-ca (docs/rehearsal.md)."""
