"""The cached API: one snapshot of each query, shared by all sessions, kept when PAI fails."""
