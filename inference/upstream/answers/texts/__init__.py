"""What an answer is written in: JSON read piece by piece or whole, base64, streams of events."""
