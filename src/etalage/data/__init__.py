"""Products and pictures as batches that the model reads."""
