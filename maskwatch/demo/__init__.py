"""A story against the real service: ordinary visitors, three kinds of attackers, what is done."""
