"""How the gate stands up to hostile files, mutations and floods, and what it costs."""
