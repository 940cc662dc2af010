"""An evening: forty honest clients, four attackers, the jobs, the mails and the first page."""
