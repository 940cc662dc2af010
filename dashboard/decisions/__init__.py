"""What the blacklist page lets people decide: proposals of the jobs, and scenarios."""
