"""Takes in what other services answered: reports of a client of ours, and KServe's events."""
