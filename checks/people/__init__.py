"""What people are told and asked, beyond a plain yes: texts to be sent, and one answer for each of many."""
