"""PAI on this machine: an HTTP server that behaves as the model registry is documented to."""
