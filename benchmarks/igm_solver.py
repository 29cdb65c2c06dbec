"""The solver of the Instructed Glacier Model on one state, in an interpreter with TensorFlow.

Usage: ``python igm_solver.py STATE.npz RESIDUAL SECONDS``, as ``instructor_cost.py`` calls it. It
needs igm-model 3.2.1 (``pip install --no-deps``), omegaconf and importlib_resources; the parts of
igm-model are imported without its whole package, which wants more. Unknown are the velocities
themselves (mapping "identity"), on Q1 elements and Legendre modes in double precision, from rest.
Prints as JSON the processor seconds, iterations, and the residual: the norm of the energy's
gradient over that at rest, where only gravity acts.
"""

import importlib.util
import json
import sys
import time
import types
from pathlib import Path

import numpy as np
import tensorflow as tf

HOME = Path(importlib.util.find_spec("igm").submodule_search_locations[0])
ROOMS = ("igm", "igm.processes", "igm.processes.iceflow", "igm.utils", "igm.common")
for name in (*ROOMS, "igm.processes.iceflow.emulate"):
    part = types.ModuleType(name)
    part.__path__ = [str(HOME.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = part
sys.modules["igm.common"].State = object

from igm.processes.iceflow.horizontal import HorizontalDiscrs  # noqa: E402
from igm.processes.iceflow.unified.mappings.identity import MappingIdentity  # noqa: E402
from igm.processes.iceflow.unified.optimizers import (  # noqa: E402
    InterfaceOptimizers,
    Optimizers,
)
from igm.processes.iceflow.unified.utils import get_cost_fn  # noqa: E402
from igm.processes.iceflow.vertical import VerticalDiscrs  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

OPTIMIZER = "lbfgs"
AT_ONCE = 100
"""Iterations between two looks at the residual; the memory of L-BFGS is cleared at each."""

fields = np.load(sys.argv[1])
tolerance, longest = float(sys.argv[2]), float(sys.argv[3])

cfg = OmegaConf.create(
    {"processes": {"iceflow": OmegaConf.load(HOME / "conf/processes/iceflow.yaml").iceflow}}
)
flow = cfg.processes.iceflow
flow.numerics.merge_with(
    {"precision": "double", "Nz": int(fields["modes"]), "basis_horizontal": "q1"}
)
flow.numerics.basis_vertical = "Legendre"
flow.unified.merge_with({"mapping": "identity", "optimizer": OPTIMIZER, "nbit": AT_ONCE})
flow.unified.halt.success = []

state = types.SimpleNamespace(iceflow=types.SimpleNamespace())
state.iceflow.discr_v = VerticalDiscrs["legendre"](cfg)
state.iceflow.discr_h = HorizontalDiscrs["q1"](cfg)
inputs = tf.constant(np.stack([fields[name] for name in flow.unified.inputs], -1)[None], tf.float64)
shape = (1, int(fields["modes"]), *fields["thk"].shape)
rest = tf.zeros(shape, tf.float64)
mapping = MappingIdentity([], rest, rest, "double")
cost = get_cost_fn(cfg, state)
arguments = InterfaceOptimizers[OPTIMIZER].get_optimizer_args(cfg, cost, mapping)
optimizer = Optimizers[OPTIMIZER](**arguments)


@tf.function
def gradient_norm(u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
    """Norm of the energy's gradient."""
    with tf.GradientTape() as tape:
        tape.watch([u, v])
        value = cost(u, v, inputs)
    return tf.linalg.global_norm(tape.gradient(value, [u, v]))


at_rest = float(gradient_norm(rest, rest))
optimizer.minimize(inputs)  # compiles
mapping.set_theta([rest, rest])
residual, iterations, seconds = 1.0, 0, 0.0
while residual > tolerance and seconds < longest:
    begin = time.process_time()
    optimizer.minimize(inputs)
    seconds += time.process_time() - begin
    iterations += AT_ONCE
    residual = float(gradient_norm(*mapping.get_theta())) / at_rest
    if not np.isfinite(residual):
        break
u, v = (np.asarray(field) for field in mapping.get_theta())
basis = np.asarray(state.iceflow.discr_v.V_bar, dtype=float)
mean = [np.einsum("z,zyx->yx", basis, field[0]) for field in (u, v)]
speed = float(np.hypot(*mean)[fields["thk"] > 0].mean())
print(
    json.dumps(
        {"seconds": seconds, "iterations": iterations, "residual": residual, "mean_speed": speed}
    )
)
