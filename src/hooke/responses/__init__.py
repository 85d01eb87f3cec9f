"""Every unit's responses to any number of inputs: recording them, and looking at what was recorded."""
