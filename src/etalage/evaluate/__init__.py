"""Judging a model by what it writes: predictions, metrics, baselines, controls, intervals, report."""
