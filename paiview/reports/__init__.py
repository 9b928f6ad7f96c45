"""What is taken away: reports of a decision, and frames as files."""
