"""What a picture costs in the service, beside a bare loop of the same engine."""
