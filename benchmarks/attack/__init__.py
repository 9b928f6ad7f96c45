"""Attacks on the real dashboard over real sockets, and what another reader sees meanwhile."""
