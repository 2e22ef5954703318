"""Container engines and what runs in them."""
