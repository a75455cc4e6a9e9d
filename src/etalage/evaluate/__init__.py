"""Evaluation of a model by the text that it generates: predictions, metrics, baselines, controls, intervals, report."""
