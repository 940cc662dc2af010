"""The commands ``maskwatch jobs``: the scheduler, one job, the latest runs."""
