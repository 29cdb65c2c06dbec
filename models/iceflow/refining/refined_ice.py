"""Ice moved by an emulator that is trained on this glacier while it evolves."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.emulators.learning import can_learn
from glacier_qgis.models.iceflow.refining.distance import Distance, distance, solved
from glacier_qgis.models.iceflow.refining.forces import Forces
from glacier_qgis.models.iceflow.refining.refinement import Outcome, Refinement
from glacier_qgis.models.iceflow.velocity.flow import Flow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce

LATER = 5
"""The first refinement takes so many times the iterations of a later one."""
FEWEST = 9
"""Cells with ice below which there is nothing to train on."""
MOST = 250_000
"""Cells with ice up to which a state is trained on; bounds memory."""


@dataclass(frozen=True)
class Schedule:
    """When and how an emulator is refined.

    Attributes:
        every: time steps from one refinement to the next, at most.
        iterations: of the first.
        rate: learning rate; 0 = automatic.
    """

    every: int
    iterations: int
    rate: float

    @property
    def later(self) -> int:
        """Iterations of each later refinement."""
        return max(self.iterations // LATER, 1)


class Comparison(NamedTuple):
    """How far the emulator is from the solution of one state.

    Attributes:
        published: as it is published.
        refined: as it is now.
    """

    published: Distance
    refined: Distance


class RefinedIce:
    """See the module; an :class:`~glacier_qgis.models.iceflow.velocity.ice_model.IceModel`.

    It is its own flow: every call is a time step, and every so many of them begin with a
    refinement on the state at hand. Where the published emulator has become the better one since
    the last refinement, the next comes after half as many steps; otherwise after twice as many, up
    to those of the schedule.

    Attributes:
        ice: moved by the emulator as it is now.
        outcomes: of the refinements of this run.
        first: distances from the solution at the first refinement, maybe of an earlier run that
            this one resumes; None before.
    """

    def __init__(self, published: EmulatedIce, schedule: Schedule, reporter: Reporter) -> None:
        """Prepare to refine an emulator.

        Args:
            published: ice that it moves as it is; it is not changed.
            schedule: of the refinements.
            reporter: receives the progress of the first refinement, and messages.

        Raises:
            EngineError: The emulator cannot be trained.
        """
        emulator = published.emulator
        if reason := can_learn(emulator.plain):
            raise EngineError(
                f"REFINE: the emulator {emulator.name} cannot be trained on the energy, because "
                f"{reason}. Set REFINE to 0, or choose the EMULATOR 'blatter_pattyn'."
            )
        self.outcomes: list[Outcome] = []
        self.first: Comparison | None = None
        self.ice = published
        self._published = published
        self._schedule, self._reporter = schedule, reporter
        self._refinement = Refinement(emulator, schedule.rate)
        self._calls = self._next = self._refined = 0
        self._interval = schedule.every

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`~glacier_qgis.models.iceflow.velocity.flow.Flow`; one glacier at a time."""
        if self._calls >= self._next and trainable(thickness):
            self._refine(thickness, surface)
            self._next = self._calls + self._interval
        self._calls += 1
        return self.ice.flow(thickness, surface)

    @property
    def name(self) -> str:
        """See `IceModel`."""
        return f"{self._published.name}, refined"

    @property
    def facts(self) -> Mapping[str, str]:
        """See `IceModel`."""
        words = (
            f"at least every {self._schedule.every} time steps on the energy of this glacier "
            f"({self._schedule.iterations} iterations at first, then {self._schedule.later})"
        )
        return {**self._published.facts, "EMULATOR_REFINED": words}

    @property
    def device(self) -> torch.device:
        """See `IceModel`."""
        return self._published.device

    @property
    def flow(self) -> Flow:
        """See `IceModel`."""
        return self

    def longest_step(self, thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
        """See `IceModel`."""
        return self.ice.longest_step(thickness, surface, u, v)

    def speeds(
        self, levels: Sequence[str], thickness: Float32Array, surface: Float32Array
    ) -> dict[str, Float32Array]:
        """See `IceModel`."""
        return self.ice.speeds(levels, thickness, surface)

    def doubts(
        self, thickness: Float32Array, surface: Float32Array, u: Float32Array, v: Float32Array
    ) -> dict[str, str]:
        """See `IceModel`."""
        return self.ice.doubts(thickness, surface, u, v)

    def compared(self, thickness: Float32Array, surface: Float32Array) -> Comparison | None:
        """Return how far the emulator is from the solution of a state; None without ice."""
        h, s = (torch.from_numpy(field).to(self.device) for field in (thickness, surface))
        return self._compared(self._forces(h, s)) if trainable(h) else None

    def _refine(self, thickness: Tensor, surface: Tensor) -> None:
        cells = int((thickness > 0).sum())
        if cells > MOST:
            raise EngineError(
                f"REFINE: {cells} cells have ice, and an emulator is trained on at most {MOST} at "
                "once. Choose a coarser RESOLUTION or a smaller EXTENT, or set REFINE to 0."
            )
        first = not self._refined
        count = self._schedule.iterations if first else self._schedule.later
        with torch.inference_mode(mode=False), torch.enable_grad():
            forces = self._forces(thickness.clone(), surface.clone())
            tell = self._tell if first and not self._calls else lambda done: None
            outcome = self._refinement.learn(forces, count, tell)
            self.outcomes.append(outcome)
            self._refined += 1
            self._renew()
            if first:
                self.first = self._compared(forces)
        halved = max(self._interval // 2, 1)
        self._interval = (
            halved if outcome.returned else min(2 * self._interval, self._schedule.every)
        )
        if outcome.diverged:
            self._reporter.log(
                f"Refining the emulator diverged after {self._calls} time steps: the best weights "
                "were kept, and the learning rate was halved."
            )

    @property
    def memory(self) -> str:
        """See :class:`~glacier_qgis.models.iceflow.velocity.ice_model.Remembers`."""
        weights = b64encode(self._refinement.weights.tobytes()).decode() if self._refined else ""
        return json.dumps(
            {
                "origin": self._refinement.origin,
                "weights": weights,
                "rate": self._refinement.rate,
                "steps": self._calls,
                "next": self._next,
                "interval": self._interval,
                "refinements": self._refined,
                "first": self.first,
            }
        )

    def recall(self, memory: str) -> None:
        """See :class:`~glacier_qgis.models.iceflow.velocity.ice_model.Remembers`."""
        try:
            known = json.loads(memory)
            if known["origin"] != self._refinement.origin:
                self._reporter.warning(
                    f"RESUME: the earlier run refined another emulator than {self._published.name} "
                    "as it is now, which is refined from its published weights."
                )
                return
            if known["weights"]:
                flat = np.frombuffer(b64decode(known["weights"]), dtype="<f4").astype(np.float32)
                self._refinement.take(flat)
                self._renew()
            if not self._schedule.rate:
                self._refinement.rate = float(known["rate"])
            steps, following = int(known["steps"]), int(known["next"])
            self._interval = min(max(int(known["interval"]), 1), self._schedule.every)
            self._refined = int(known["refinements"])
            self.first = known["first"] and Comparison(*(Distance(*one) for one in known["first"]))
        except (LookupError, TypeError, ValueError) as error:
            raise EngineError(
                f"RESUME: what the earlier run says of the refined emulator is damaged ({error}): "
                "copy the file again, or set REFINE to 0."
            ) from error
        self._calls = max(steps - 1, 0)  # the saved state moves once more
        self._next = min(following, self._calls + self._schedule.every)

    def _renew(self) -> None:
        emulator = self._refinement.emulator
        self.ice = EmulatedIce(emulator, replace(self._published.flow, emulator=emulator))

    def _tell(self, done: int) -> None:
        total = self._schedule.iterations
        self._reporter.progress(done / total, f"Refining the emulator: {done} of {total}")

    def _compared(self, forces: Forces) -> Comparison:
        solution = solved(forces)
        return Comparison(
            distance(self._published.emulator, forces, solution),
            distance(self.ice.emulator, forces, solution),
        )

    def _forces(self, thickness: Tensor, surface: Tensor) -> Forces:
        return Forces(thickness, surface, self._published.flow.parameters)


def trainable(thickness: Tensor) -> bool:
    """Return whether a state has enough ice to train on, in two directions."""
    return min(thickness.shape) > 1 and int((thickness > 0).sum()) >= FEWEST
