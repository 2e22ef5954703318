"""What can be asked with ? and F1: the keys of the place one is in, of the other places, states, words and kinds."""
