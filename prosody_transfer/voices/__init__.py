"""`ptx voice add`: a voice of the user's own, learnt on the acoustic model that ships."""
