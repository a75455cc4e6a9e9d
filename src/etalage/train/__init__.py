"""Training: objective, loop, checkpoints, throughput."""
