"""The embedded registry: PAI's model registry API on this machine."""
