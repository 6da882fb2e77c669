"""Every shipped addon keeps every promise, on each runtime."""

from __future__ import annotations

import pytest

from prosody_transfer.integration.check import check_addon
from prosody_transfer.models import registry
from prosody_transfer.store.weights import shipped


@pytest.mark.parametrize("kind", registry.exportable())
def test_a_shipped_addon_keeps_every_promise(kind: str) -> None:
    checks = check_addon(shipped(kind).parent)
    assert {check.runtime for check in checks} == {"", "onnx", "torch"}
    assert [check for check in checks if not check.works] == []
