"""Evaluation results: Metrics read into frames, and what a number means."""
