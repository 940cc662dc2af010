"""Read models: one module for what one page of the dashboard shows."""
