"""Whoever runs the tests may have voices of their own: the tests must not see them."""

from __future__ import annotations

import os
import tempfile

os.environ["PTX_VOICES"] = os.path.join(tempfile.gettempdir(), f"ptx-tests-no-voices-{os.getpid()}")
