"""The golden run's scheme in TensorFlow, for comparison; runs in an interpreter that has it.

Usage: ``python golden_run_tensorflow.py INPUTS.npz MODEL.h5 END [around]``. One compiled graph a
step, row 0 in the south; the network is evaluated on the whole grid as the Instructed Glacier
Model does, or, with "around", in the rectangle around the ice.
"""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf

CELL, RATE, CFL, START, INTERVAL, LONGEST = 100.0, 78.0, 0.3, 100.0, 10.0, 10.0
HALO = 17 if sys.argv[4:] == ["around"] else 10_000
GRAIN = 8

fields = np.load(sys.argv[1])
END = float(sys.argv[3])
network = keras.models.load_model(sys.argv[2], compile=False)
surface0, mask = (tf.constant(fields[name]) for name in ("usurf", "icemask"))
thickness0 = tf.constant(fields["thk"])
bed = surface0 - thickness0
ROWS, COLUMNS = thickness0.shape


def span(occupied: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """First and last (exclusive) True, on the grain and with the halo."""
    places = tf.where(occupied)[:, 0]
    first = tf.maximum(tf.reduce_min(places) // GRAIN * GRAIN - HALO, 0)
    last = tf.minimum((tf.reduce_max(places) // GRAIN + 1) * GRAIN + HALO, size)
    return first, last


def velocity(h: tf.Tensor, s: tf.Tensor) -> list[tf.Tensor]:
    """Depth-averaged velocity where there is ice, zero elsewhere."""
    top, bottom = span(tf.reduce_any(h > 0, 1), ROWS)
    left, right = span(tf.reduce_any(h > 0, 0), COLUMNS)
    part, ice = s[top:bottom, left:right], h[top:bottom, left:right]
    wide = tf.concat([2 * part[:, :1] - part[:, 1:2], part, 2 * part[:, -1:] - part[:, -2:-1]], 1)
    high = tf.concat([2 * part[:1] - part[1:2], part, 2 * part[-1:] - part[-2:-1]], 0)
    east = (wide[:, 2:] - wide[:, :-2]) / (2 * CELL)
    north = (high[2:] - high[:-2]) / (2 * CELL)
    constants = [tf.fill(tf.shape(ice), RATE / 100), tf.zeros_like(ice)]
    inputs = tf.stack([ice / 2000, east / 1.5, north / 1.5, *constants], -1)[None]
    outputs = network(inputs, training=False)[0, :, :, 2:4] * 1000
    outputs = tf.where((ice > 0)[..., None], outputs, 0.0)
    around = [[top, ROWS - bottom], [left, COLUMNS - right], [0, 0]]
    return tf.unstack(tf.ensure_shape(tf.pad(outputs, around), (ROWS, COLUMNS, 2)), axis=-1)


def divergence(h: tf.Tensor, u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
    """First-order upwind on the edges, nothing beyond the border."""
    u = tf.concat([u[:, :1], 0.5 * (u[:, :-1] + u[:, 1:]), u[:, -1:]], 1)
    v = tf.concat([v[:1], 0.5 * (v[:-1] + v[1:]), v[-1:]], 0)
    across, along = tf.pad(h, [[0, 0], [1, 1]]), tf.pad(h, [[1, 1], [0, 0]])
    east = u * tf.where(u > 0, across[:, :-1], across[:, 1:])
    north = v * tf.where(v > 0, along[:-1], along[1:])
    return (east[:, 1:] - east[:, :-1] + north[1:] - north[:-1]) / CELL


@tf.function
def step(h: tf.Tensor, remaining: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One time step; returns the thickness and the time it took in years."""
    s = bed + h
    height = s - 2000
    rate = tf.clip_by_value(height * tf.where(height < 0, 0.006, 0.009), -100.0, 2.0)
    rate = tf.where(mask > 0.5, rate, -10.0)
    u, v = velocity(h, s)
    fastest = tf.maximum(tf.reduce_max(tf.abs(u)), tf.reduce_max(tf.abs(v)))
    dt = tf.minimum(CFL * CELL / fastest, tf.minimum(remaining, LONGEST))
    return tf.maximum(h + dt * (rate - divergence(h, u, v)), 0.0), dt


step(thickness0, tf.constant(1.0))
thickness, now, steps = thickness0, START, 0
begin, used = time.perf_counter(), time.process_time()
for target in np.arange(START + INTERVAL, END + INTERVAL / 2, INTERVAL):
    while now < target:
        remaining = np.float32(target - now)
        thickness, dt = step(thickness, tf.constant(remaining))
        now = float(target) if float(dt) >= remaining * (1 - 1e-6) else now + float(dt)
        steps += 1
volume = float(np.sum(thickness.numpy(), dtype=np.float64)) * CELL**2 / 1e9
result = {
    "seconds": time.perf_counter() - begin,
    "processor_seconds": time.process_time() - used,
    "steps": steps,
    "volume_km3": volume,
}
print(json.dumps(result))
