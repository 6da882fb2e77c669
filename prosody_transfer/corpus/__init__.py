"""`ptx prepare`: recordings examined, measured, aligned and split, so that they can be trained on."""
