"""The one source of time outside the core. At rate 3,600 an hour passes in a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class HubTime:
    """Simulated time, anchored to wall time. In real use rate is 1 and both anchors are the same instant."""

    wall: datetime
    simulated: datetime
    rate: float = 1.0

    @property
    def is_of_the_wall(self) -> bool:
        """Whether it is the time that everybody's clock shows, as in real use; it is not in demonstrations and tests."""
        return self.rate == 1 and self.simulated == self.wall

    def now(self) -> datetime:
        """The present instant, UTC, as the domain sees it."""
        return self.simulated + (datetime.now(UTC) - self.wall) * self.rate

    def on_the_wall(self, simulated: datetime) -> datetime:
        """When the wall clock will show that a simulated instant has come: for telling Prefect when to wake."""
        return self.wall + (simulated - self.simulated) / self.rate

    def wait(self, simulated: datetime) -> float:
        """Wall seconds until a simulated instant; 0 when it has passed."""
        return max(0.0, (self.on_the_wall(simulated) - datetime.now(UTC)).total_seconds())
