"""What models share that tell how a text is said by one vector an utterance; no model by itself."""
