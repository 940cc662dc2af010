"""What clean pictures look like to one model, and the limits that follow."""
