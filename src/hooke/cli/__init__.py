"""The command line: each command prints for people, or JSON for programs."""
