"""Other machines: how they are reached, what is run there, and what is believed of them."""
