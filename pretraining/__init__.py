"""The recipe that made the small model's weights. README.md says how to run it."""
