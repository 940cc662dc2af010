"""The command ``rescore``: kept pictures are measured again and compared with their records."""
