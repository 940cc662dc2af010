"""What does one piece of work after the other: in this process, or in several with Ray."""
