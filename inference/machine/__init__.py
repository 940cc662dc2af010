"""What the service takes of its machine: cores, memory, and packages that may be missing."""
