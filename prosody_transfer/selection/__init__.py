"""Where prosody comes from without a recording of the text: sentences of the training that are alike, or chance."""
