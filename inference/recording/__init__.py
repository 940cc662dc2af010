"""Records on their way to the database, and the pictures that are kept with them."""
