"""What the tests of radar share."""

from __future__ import annotations

import pytest

from kit.engine.listener import Listener


@pytest.fixture
def listener() -> Listener:
    return Listener()
