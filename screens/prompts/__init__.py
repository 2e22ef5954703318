"""What a person is asked: one modal screen for each kind of question, each with a typed answer."""
