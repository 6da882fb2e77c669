"""Listening tests: build a page, serve it, analyse what was rated."""
