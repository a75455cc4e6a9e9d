"""Checkpoint folders and adapters from disk to memory: each file is checked before it is used, and none is a pickle."""
