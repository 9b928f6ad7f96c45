"""The command line. Results go to stdout, all messages to stderr."""
