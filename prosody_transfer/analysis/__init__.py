"""A recording and its words -> an `Analysis`: read, levelled, cut, measured, aligned. One way for everybody."""
