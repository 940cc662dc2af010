"""What the service takes of its machine: cores, memory, time, and packages that may be missing."""
