"""One widget for each kind of evidence."""
