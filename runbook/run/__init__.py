"""A run as it goes: how it starts, how it is walked, and how it goes on after it was left (design §4, §8)."""
