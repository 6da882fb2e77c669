"""What is done many times: in several processes, on several machines, in parts; the same whoever does it."""
