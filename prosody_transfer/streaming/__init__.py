"""Speech said again while it is being said: phrases cut, analysed and spoken as they come, with a constant delay."""
