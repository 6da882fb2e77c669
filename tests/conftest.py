"""Whoever runs the tests may have voices of their own: the tests must not see them. Nor do tests depend on luck."""

from __future__ import annotations

import os
import tempfile

from hypothesis import HealthCheck, settings

os.environ["PTX_VOICES"] = os.path.join(tempfile.gettempdir(), f"ptx-tests-no-voices-{os.getpid()}")

# The same inputs every time, on machines of any speed. New ones are tried by benchmarks/fuzz.py, and by
# PTX_HYPOTHESIS=random, and what they find becomes an example of a test.
settings.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("PTX_HYPOTHESIS", "fixed"))
