"""A raw table and its pictures -> a checked catalogue, split by group; nothing is dropped without a counted reason."""
