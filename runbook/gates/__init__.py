"""What must hold before a step starts: facts, time windows, and how they are told (design §7)."""
