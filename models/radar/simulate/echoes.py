"""Echoes of reflectors: what a radar records of a surface, layers and a bed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve1d, gaussian_filter

from glacier_qgis.models.radar.simulate.tracks import Array, Reflectors, smooth

Complex = npt.NDArray[np.complex64]
Power = npt.NDArray[np.float32]

ROUGH = 0.5
"""Share of a layer's echo that is speckle: the rest is a specular reflection."""
SILENT_DB = -100.0
"""Relative power of multiples up to which there are none."""
REVERBERATION_DB = -5.0
"""Power of each reverberation relative to the one before it."""
PATCH = 40.0, 15.0
"""Size of the patches in the volume scattering, samples and traces."""


@dataclass(frozen=True)
class Echoes:
    """What the radar and the ice make of the reflectors. All powers are in dB.

    Attributes:
        surface_db: Power of the surface's echo; 0 is the reference of the others.
        layer_db: Mean power of a layer's echo above the volume scattering at its depth.
        layer_spread_db: Standard deviation of that power from layer to layer.
        bed_db: Power of the bed's echo above the volume scattering just above it.
        volume_db: Power of the volume scattering below the surface.
        attenuation_db: Loss per 100 samples, both ways.
        noise_db: Power of the receiver's noise.
        fading_db: Standard deviation along the track of the power of every reflector.
        fading_length: Correlation length of the fading, traces.
        looks: Number of independent looks that are averaged; few looks mean strong speckle.
        pulse: Width of the compressed pulse at half its amplitude, samples.
        bed_tail: Depth over which the scattering below the bed falls by a factor of e, samples.
        multiple_delay: Mean number of samples between an echo and its multiple: twice the height of
            the aircraft above the surface, with which it varies along the track.
        multiple_db: Power of the multiples relative to the echoes.
        clutter: Points beside the track per 100 traces, each of which leaves a hyperbola.
        clutter_db: Power of their echoes above the volume scattering.
        curvature: Traces over which such a hyperbola falls by its depth in samples.
        reverberations: Echoes of the surface that the antenna repeats, two pulses apart.
        patches_db: Standard deviation of the volume scattering from place to place: water, debris.
        footprint: Correlation length of the speckle along the track, traces; 0 for none.
        gain_db: Standard deviation of the gain from trace to trace.
        drift_db: The same of its drift along the track.
        gain_slope_db: Gain of the receiver per 100 samples, against attenuation.
        missing: Share of missing traces, in runs of up to five.
    """

    surface_db: float = 0.0
    layer_db: float = 9.0
    layer_spread_db: float = 3.0
    bed_db: float = 22.0
    volume_db: float = -25.0
    attenuation_db: float = 3.0
    noise_db: float = -60.0
    fading_db: float = 2.0
    fading_length: float = 40.0
    looks: int = 6
    pulse: float = 1.6
    bed_tail: float = 8.0
    multiple_delay: float = 420.0
    multiple_db: float = -30.0
    clutter: float = 0.3
    clutter_db: float = 8.0
    curvature: float = 40.0
    reverberations: int = 0
    patches_db: float = 0.0
    footprint: float = 0.0
    gain_db: float = 0.5
    drift_db: float = 1.0
    gain_slope_db: float = 0.0
    missing: float = 0.005

    def record(self, reflectors: Reflectors, rows: int, random: np.random.Generator) -> Power:
        """Return the echogram of reflectors, (rows, traces) in dB, NaN for missing traces."""
        scene = _Scene(self, reflectors, rows, random)
        power = np.zeros((rows, reflectors.traces), np.float32)
        for _ in range(self.looks):
            power += np.abs(scene.look()) ** 2 / self.looks
        echogram = 10 * np.log10(np.maximum(power, 1e-20))
        echogram += self.gain_slope_db / 100 * np.arange(rows, dtype=np.float32)[:, None]
        echogram += self._gain(reflectors.traces, random)
        echogram[:, self._missing(reflectors.traces, random)] = np.nan
        return np.asarray(echogram, np.float32)

    def wait(self, reflectors: Reflectors) -> float:
        """Return the samples between the pulse and the first row; 0 if there are no multiples.

        With them, the travel time of the surface is the delay of its multiple.
        """
        if self.multiple_db <= SILENT_DB:
            return 0.0
        return self.multiple_delay - float(np.nanmean(reflectors.surface))

    def _gain(self, traces: int, random: np.random.Generator) -> Power:
        """Return the gain of each trace, dB."""
        jitter = self.gain_db * random.standard_normal(traces)
        return np.asarray(jitter + self.drift_db * smooth(random, traces, 100), np.float32)

    def _missing(self, traces: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Return which traces are missing."""
        starts = np.flatnonzero(random.random(traces) < self.missing / 3)  # nosec B311: NumPy's, seeded
        gone = np.zeros(traces, np.bool_)
        for start in starts:
            gone[start : start + int(random.integers(1, 6))] = True
        return gone


class _Scene:
    """Reflectors with their powers, of which looks are taken."""

    def __init__(
        self, echoes: Echoes, reflectors: Reflectors, rows: int, random: np.random.Generator
    ) -> None:
        self._random = random
        self._shape = rows, reflectors.traces
        self._echoes = echoes
        self._kernel = pulse_kernel(echoes.pulse)
        depth = np.arange(rows)[:, None] - reflectors.surface
        volume = echoes.volume_db - echoes.attenuation_db / 100 * np.maximum(depth, 0)
        if echoes.patches_db:
            volume += echoes.patches_db * _patches(random, self._shape)
        below = depth - np.where(
            np.isnan(reflectors.bed), rows, reflectors.bed - reflectors.surface
        )
        scatter = from_db(volume) * (depth > 0) * (below < 0)
        tail = from_db(self._at_bed(reflectors) - 12) * np.exp(
            -np.maximum(below, 0) / echoes.bed_tail
        )
        scatter += np.where(below >= 0, tail, 0)
        scatter += from_db(echoes.surface_db - 12) * np.exp(-np.abs(depth) / 2) * (depth >= 0)
        self._amplitude = np.sqrt((scatter + from_db(echoes.noise_db)) / 2).astype(np.float32)
        self._lines = self._reflections(reflectors)

    def look(self) -> Complex:
        """Return one look: complex amplitudes, (rows, traces)."""
        white = self._random.standard_normal((*self._shape, 2), dtype=np.float32)
        if self._echoes.footprint:
            beam = pulse_kernel(self._echoes.footprint)
            white = convolve1d(white, beam, axis=1, mode="reflect")
        field = white.view(np.complex64)[..., 0] * self._amplitude
        for rows, amplitude, rough in self._lines:
            size = rows.size
            speckle = self._random.standard_normal((size, 2)).view(np.complex128)[:, 0] / np.sqrt(2)
            phase = np.exp(2j * np.pi * self._random.random(size))
            self._place(
                field, rows, amplitude * (np.sqrt(1 - rough) * phase + np.sqrt(rough) * speckle)
            )
        real, imaginary = (
            convolve1d(part, self._kernel, axis=0, mode="reflect")
            for part in (field.real, field.imag)
        )
        return np.asarray(real + 1j * imaginary, np.complex64)

    def _place(self, field: Complex, rows: Array, amplitude: npt.NDArray[np.complex128]) -> None:
        """Add a reflector between the two samples that are nearest to it."""
        known = np.flatnonzero(np.isfinite(rows))
        top = np.floor(rows[known]).astype(int)
        share = rows[known] - top
        for row, weight in ((top, 1 - share), (top + 1, share)):
            inside = (row >= 0) & (row < len(field))
            field[row[inside], known[inside]] += (amplitude[known] * weight)[inside]

    def _reflections(self, reflectors: Reflectors) -> list[tuple[Array, Array, float]]:
        """Return rows, amplitude and roughness of each reflector and of its multiple."""
        echoes, random = self._echoes, self._random
        loss, wait = echoes.attenuation_db / 100, echoes.wait(reflectors)
        found: list[tuple[Array, Array, float]] = []

        def add(rows: Array, power_db: Array | float, rough: float) -> None:
            fade = echoes.fading_db * smooth(random, rows.size, echoes.fading_length)
            amplitude = np.sqrt(from_db(power_db + fade))
            found.append((rows, amplitude, rough))
            if echoes.multiple_db > SILENT_DB:
                less = np.sqrt(from_db(echoes.multiple_db))
                found.append((rows + wait + reflectors.surface, amplitude * less, 1.0))

        add(reflectors.surface, echoes.surface_db, 0.2)
        for number in range(1, echoes.reverberations + 1):
            power = echoes.surface_db + REVERBERATION_DB * number
            amplitude = np.full(reflectors.traces, np.sqrt(from_db(power)))
            found.append((reflectors.surface + 2 * number * echoes.pulse, amplitude, 0.1))
        add(reflectors.bed, self._at_bed(reflectors), 0.7)
        for layer in reflectors.layers:
            strength = echoes.layer_db + echoes.layer_spread_db * random.standard_normal()
            depth = layer - reflectors.surface
            add(layer, echoes.volume_db - loss * np.nan_to_num(depth) + strength, ROUGH)
        for _ in range(random.poisson(echoes.clutter * reflectors.traces / 100)):
            at, deep = random.integers(reflectors.traces), random.uniform(20, self._shape[0])  # nosec B311: NumPy's, seeded
            away = (np.arange(reflectors.traces) - at) / echoes.curvature
            depth = deep * np.sqrt(1 + away**2)
            power = echoes.volume_db - loss * depth + echoes.clutter_db - 6 * np.abs(away)
            found.append((reflectors.surface + depth, np.sqrt(from_db(power)), 1.0))
        return found

    def _at_bed(self, reflectors: Reflectors) -> Array:
        """Return the power of the bed's echo, (traces,)."""
        depth = np.nan_to_num(reflectors.bed - reflectors.surface)
        loss = self._echoes.attenuation_db / 100 * depth
        return np.asarray(self._echoes.volume_db - loss + self._echoes.bed_db)


def _patches(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw Gaussian noise with standard deviation 1, correlated over patches, (rows, traces)."""
    noise = gaussian_filter(random.standard_normal(shape), PATCH, mode="wrap")
    return np.asarray(noise / noise.std())


def pulse_kernel(width: float) -> npt.NDArray[np.float32]:
    """Return the compressed pulse: a Gaussian of this width, with energy 1."""
    sigma = max(width, 0.5) / 2.355
    reach = int(np.ceil(4 * sigma))
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return np.asarray(kernel / np.sqrt((kernel**2).sum()), np.float32)


def from_db(value: Array | float) -> Array:
    """Return the linear power of decibels."""
    return np.asarray(10 ** (np.asarray(value, float) / 10))
