"""Search in the steps, in the page of a step and in its output."""
