"""A raw table and its pictures -> a checked catalogue, split by group; every dropped row is counted with its reason."""
