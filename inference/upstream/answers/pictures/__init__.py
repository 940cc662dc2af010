"""What masks and labels are drawn from and onto."""
