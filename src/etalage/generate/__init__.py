"""Pictures and prompts to answers."""
