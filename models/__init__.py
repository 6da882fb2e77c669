"""Networks: torch in, torch out. No files, no loops over data."""
