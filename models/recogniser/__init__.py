"""A phone recogniser: mel in, phone posteriors out."""
