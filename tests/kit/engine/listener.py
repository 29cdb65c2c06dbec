"""What jobs report to in tests."""

from __future__ import annotations


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.logs: list[str] = []
        self.warnings: list[str] = []

    def progress(self, fraction: float, message: str = "") -> None:
        assert -1e-9 <= fraction <= 1 + 1e-9
        self.fractions.append(fraction)

    def log(self, message: str) -> None:
        self.logs.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)
