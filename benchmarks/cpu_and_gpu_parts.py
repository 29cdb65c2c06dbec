"""What `cpu_and_gpu.py` compares: each part goes through the functions that the jobs call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from cpu_and_gpu import Found, Part
from instructor_cost import glacier
from scipy.ndimage import zoom
from torch import Tensor, nn

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.workers import threads_an_operation
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.fronts.segmentation.predictor import PADDING, TILE, Predictor, first_look
from glacier_qgis.models.fronts.segmentation.tiling import TilePlan, blend
from glacier_qgis.models.iceflow.dynamics.running import run
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, OUTPUTS, FlowParameters
from glacier_qgis.models.iceflow.emulators.listed import FieldLists
from glacier_qgis.models.iceflow.emulators.stack import StackCore
from glacier_qgis.models.iceflow.instructors.instructor import Instructor, InstructorName
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.inversion.cost import Problem, State
from glacier_qgis.models.iceflow.inversion.fit import ask, descend
from glacier_qgis.models.iceflow.inversion.flow import Correction
from glacier_qgis.models.iceflow.inversion.observed import Observed
from glacier_qgis.models.iceflow.inversion.place import Place
from glacier_qgis.models.iceflow.inversion.routing import balanced
from glacier_qgis.models.iceflow.refining import distance
from glacier_qgis.models.iceflow.refining.refined_ice import RefinedIce, Schedule
from glacier_qgis.models.iceflow.teaching import pupils
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.iceflow.teaching.training import Training
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import (
    RENEWED,
    EmulatedFlow,
    flow_in_time,
)
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce
from glacier_qgis.models.networks.igm import IgmCnn
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.radar.layers.predict import LayerNetwork
from glacier_qgis.models.radar.simulate.settings import RADIOSTRATIGRAPHY
from glacier_qgis.models.training.fitting.fit import Learner
from glacier_qgis.models.training.losses.layers import layer_loss
from glacier_qgis.models.training.losses.zones import zone_loss
from glacier_qgis.models.zones.codes import zones_of

CELL, RATE, SLIDING = 100.0, 78.0, 12.0
LAYERS = DELIVERED / "layers" / "radar_layers"
ROUNDING, SEEN = 1e-4, 1e-3
"""Differences allowed: of probabilities and velocities in float32, and after many steps of them."""
FEW = 2e-3
"""Share of the cells that may have another zone, where two are as likely in half precision."""
HALF = 0.03
"""Difference allowed of losses in bfloat16."""
SIMILAR = 2e-3
"""Share of the thickness that melts from one state to the next."""
SHORT = 1 << 30
"""Bytes of a GPU that is short of memory."""


def parts(*, small: bool) -> Iterator[Part]:
    """Yield all parts."""
    for name, side, half in (
        ("caffe_unet", 3072, True),
        ("caffe_unet", 2048, False),
        ("landsat_unet", 2048, True),
    ):
        side = 1024 if small else side
        how = "half precision first" if half else "float32 alone"
        yield Part(
            f"fronts, {name}, {side} × {side}, {how}",
            partial(scene, DELIVERED / name, side, half=half),
            {"zones": FEW} if half else {"zones": FEW, "probability": SEEN},
            "Mpx",
            side**2 / 1e6,
        )
    many = 2 if small else 8
    yield Part(
        f"fronts, network alone, {many} tiles in float32",
        partial(tiles, many, short=False),
        {"probability": SEEN},
        "Mpx",
        many * TILE**2 / 1e6,
    )
    yield Part(
        f"fronts, {many + many // 2} tiles, short of memory",
        partial(tiles, many + many // 2, short=True),
        {"probability": SEEN},
    )
    traces = 1000 if small else 4000
    yield Part(
        "layers, probabilities of a frame",
        partial(frame, traces),
        {"probability": SEEN},
        "trace",
        traces,
    )
    for cells in (100, 200) if small else (100, 500, 1000):
        square = f"{cells} × {cells}"
        work = cells**2 / 1e6
        yield Part(
            f"emulator, {square}",
            partial(velocity, emulator, cells),
            {"velocity": ROUNDING},
            "Mcell",
            work,
        )
        if cells <= 500:
            yield Part(
                f"emulator, {RENEWED} states in time, {square}",
                partial(carried, cells),
                {"velocity": SEEN},
                "Mcell",
                RENEWED * work,
            )
        yield Part(
            f"network as f15, {square}",
            partial(velocity, published, cells),
            {"velocity": SEEN},
            "Mcell",
            work,
        )
    cells = 60 if small else 200
    years = 5.0
    yield Part(
        f"simulation, {years:g} years, {cells} × {cells}",
        partial(simulation, cells, years),
        {"thickness": SEEN, "volume": 1e-5, "mass that is missing": 1e-5, "steps": 0.2},
    )
    names: tuple[tuple[InstructorName, int], ...] = (
        ("SIA", 1000),
        ("hybrid SIA + SSA", 60),
        ("Blatter-Pattyn", 40),
    )
    for name, size in names:
        cells = min(size, 30) if small else size
        yield Part(
            f"instructor, {name}, {cells} × {cells}",
            partial(instructed, name, cells),
            {"velocity": SEEN, "residual": float("inf")},
        )
    cells = 24 if small else 32
    yield Part(
        f"REFINE, 5 iterations, {cells} × {cells}", partial(refined, cells), {"imbalance": 0.02}
    )
    yield Part(
        f"inversion, {cells} × {cells}",
        partial(inverted, cells),
        {"factors": SEEN, "thickness": 0.02},
    )
    yield Part(
        "training of fronts, 3 steps",
        partial(trained, DELIVERED / "caffe_unet", zone_loss),
        {"losses": HALF},
    )
    yield Part(
        "training of layers, 3 steps", partial(trained, LAYERS, layer_loss), {"losses": HALF}
    )
    yield Part("training of an emulator, 3 steps", partial(taught, 48), {"losses": 5e-3})


def smooth(rng: np.random.Generator, bands: int, side: int, nodes: int) -> Float32Array:
    """Return noise that is smooth over side / nodes cells, (bands, side, side)."""
    coarse = rng.normal(size=(bands, nodes, nodes)).astype("f4")
    fine = zoom(coarse, (1, -(-side // nodes), -(-side // nodes)), order=1)
    return np.asarray(fine[:, :side, :side])


@cache
def image(bands: int, side: int) -> Float32Array:
    """Return bright ice, dark water and speckle, with a mask, (bands + 1, side, side)."""
    rng = np.random.default_rng(1)
    broad, fine = smooth(rng, 1, side, 3), smooth(rng, bands, side, side // 8)
    speckle = rng.normal(scale=0.2, size=(bands, side, side)).astype("f4")
    values = 0.8 * np.tanh(4 * broad) + 0.2 * fine + speckle
    return np.concatenate([values.clip(-1, 1), np.ones((1, side, side), "f4")])


def scene(package: Path, side: int, device: torch.device, *, half: bool) -> Callable[[], Found]:
    """Tile, predict and blend a scene."""
    model = load_package(package)
    codes = [zone.value for zone in model.card.classes]
    look = first_look(model.network, device) if half else None
    network = Predictor(model.network, device, codes, half=look)
    plan = TilePlan.choose((side, side), model.stride, TILE, PADDING)
    batch = network.batch(model.card.inputs, plan.tile)
    pixels = np.pad(image(model.card.bands, side), ((0, 0), *[(PADDING, TILE)] * 2))

    def read(window: object) -> Float32Array:
        top, left = window.row_off + PADDING, window.col_off + PADDING  # type: ignore[attr-defined]
        return pixels[:, top : top + plan.tile, left : left + plan.tile]

    def call() -> Found:
        zones = np.empty((side, side), np.uint8)
        probability = np.empty((len(codes), side, side), np.float32)
        for window, values in blend(read, network, (side, side), len(codes), plan, batch):
            place = (
                slice(window.row_off, window.row_off + window.height),
                slice(window.col_off, window.col_off + window.width),
            )
            zones[place], probability[:, *place] = zones_of(values, codes), values
        return {"zones": zones, "probability": probability}

    return call


def tiles(count: int, device: torch.device, *, short: bool) -> Callable[[], Found]:
    """Predict a batch of tiles, of which a GPU that is short of memory holds a few."""
    model = load_package(DELIVERED / "caffe_unet")
    codes = [zone.value for zone in model.card.classes]
    network = Predictor(model.network, device, codes)
    batch = np.stack([np.roll(image(model.card.bands, TILE), 50 * n, 2) for n in range(count)])

    def call() -> Found:
        if not short or device.type != "cuda":
            return {"probability": network(batch, 0)}
        number, whole = torch.cuda.current_device(), torch.cuda.mem_get_info(device)[1]
        torch.cuda.set_per_process_memory_fraction(SHORT / whole, number)
        try:
            return {"probability": network(batch, 0)}
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, number)

    return call


def frame(traces: int, device: torch.device) -> Callable[[], Found]:
    """Find layers in a frame, strip by strip."""
    model = load_package(LAYERS)
    network = LayerNetwork(model.network.to(device), model.stride, device)
    _, piece = RADIOSTRATIGRAPHY.simulate(400, 1)
    power = np.tile(np.concatenate([piece, piece[:, ::-1]], 1), -(-traces // 800))[:, :traces]

    def call() -> Found:
        strips = network.strips(lambda first, last: power[:, first:last], len(power), traces)
        return {"probability": np.concatenate([one.probability for one in strips], axis=2)}

    return call


def emulator(device: torch.device) -> Emulator:
    """Return the delivered emulator."""
    return Emulator.read(OWN / "blatter_pattyn", device=device)


def published(device: torch.device) -> Emulator:
    """Return a network of the size of the published family f15, with random weights."""
    torch.manual_seed(1)
    inputs = {"thk": 400.0, "slopsurfx": 1.0, "slopsurfy": 1.0, "strflowctrl": 100.0}
    lists = FieldLists(inputs, dict.fromkeys(OUTPUTS, 100.0))
    network = IgmCnn(len(inputs), len(OUTPUTS)).eval().requires_grad_(requires_grad=False)
    return Emulator(StackCore("f15", Path("100", "model.h5"), lists, network), device)


def state(cells: int, device: torch.device) -> tuple[Tensor, Tensor, FlowParameters]:
    """Return thickness, surface (m) and parameters of a valley glacier."""
    thickness, surface = (field.float().to(device) for field in glacier(cells))
    return thickness, surface, FlowParameters(CELL, RATE, SLIDING)


def velocity(
    network: Callable[[torch.device], Emulator], cells: int, device: torch.device
) -> Callable[[], Found]:
    """Predict a velocity."""
    given, model = state(cells, device), network(device)

    def call() -> Found:
        fields = model.velocity(*given, MEAN_FLOW)
        return {"velocity": torch.stack([fields[name] for name in MEAN_FLOW]).cpu().numpy()}

    return call


def carried(cells: int, device: torch.device) -> Callable[[], Found]:
    """Find the velocity of states that follow each other, as far as one prediction goes."""
    thickness, surface, parameters = state(cells, device)
    model = emulator(device)

    def call() -> Found:
        flow = flow_in_time(model, parameters)
        for melted in range(RENEWED):
            found = flow((1 - SIMILAR * melted) * thickness, surface)
        return {"velocity": torch.stack(found).cpu().numpy()}

    return call


def simulation(cells: int, years: float, device: torch.device) -> Callable[[], Found]:
    """Let a glacier evolve."""
    thickness, surface, parameters = state(cells, device)
    bed = surface - thickness
    ela = float(surface.mean())
    ice = EmulatedIce(emulator(device), EmulatedFlow(emulator(device), parameters, bed))

    def call() -> Found:
        own = ice.in_time()
        glaciers = Simulation(
            bed,
            thickness,
            own.flow,
            lambda surface, time: (0.005 * (surface - ela)).clamp(max=1),
            cell_size=CELL,
            cfl=0.3,
            limit=own.longest_step,
        )
        *_, last = run(glaciers, [0.0, years], Silent())
        moved = abs(last.budget.balance) + abs(last.budget.lost) + last.budget.initial
        return {
            "thickness": last.thickness,
            "volume": np.array([last.volume]),
            "mass that is missing": np.array([1.0, abs(last.budget.residual) / moved]),
            "steps": np.array([float(last.steps)]),
        }

    return call


def instructed(name: InstructorName, cells: int, device: torch.device) -> Callable[[], Found]:
    """Solve the stresses of a glacier."""
    thickness, surface = (field.to(device) for field in glacier(cells))
    sliding = torch.full_like(thickness, SLIDING)
    instructor = Instructor(name, CELL, RATE, sliding)

    def call() -> Found:
        with threads_an_operation(1):  # as in a simulation
            found = instructor.solve(thickness, surface)
        return {"velocity": found.mean.cpu().numpy(), "residual": np.array([1.0, found.residual])}

    return call


def refined(cells: int, device: torch.device) -> Callable[[], Found]:
    """Refine the emulator on one state."""
    thickness, surface, parameters = state(cells, device)
    ice = EmulatedIce(emulator(device), EmulatedFlow(emulator(device), parameters))
    distance.MOST_SOLVED = 0  # without the solution beside it

    def call() -> Found:
        model = RefinedIce(ice, Schedule(5, 5, 0.0), Silent())
        model(thickness, surface)
        (found,) = model.outcomes
        return {"imbalance": np.array([found.before, found.after])}

    return call


def inverted(cells: int, device: torch.device) -> Callable[[], Found]:
    """Ask the emulator for what shallow ice lacks, and descend with it."""
    thickness, surface = (field.float().numpy() for field in glacier(cells))
    ice = thickness > 0
    place = Place.of(surface, ice, CELL)
    rate = balanced(0.005 * (surface.astype(float) - surface[ice].mean()), ice)
    guess = place.plastic * place.shape * place.ice
    problem = Problem(
        place, Observed(torch.from_numpy(rate), 0.3, None, None), guess, SLIDING, RATE
    )
    model, heights = emulator(device), torch.from_numpy(surface).to(device)
    levels = MEAN_FLOW, ("uvelsurf", "vvelsurf")

    def flow(state: State) -> tuple[Tensor, Tensor]:
        slip = state.sliding.float().to(device)
        given = FlowParameters(CELL, float(state.rate_factor), slip)
        found = model.velocity(state.thickness.float().to(device), heights, given)
        mean, top = (
            torch.stack([found[name] for name in level]).cpu().double() for level in levels
        )
        return mean, top

    def call() -> Found:
        start = np.zeros(problem.count)
        first = descend(problem, Correction.none(place), start, steps=5)
        with torch.no_grad():
            correction = ask(problem, problem.state(torch.from_numpy(first)), flow)
        last = descend(problem, correction, first, steps=5)
        factors = torch.stack([correction.mean, correction.surface]).numpy()
        return {
            "factors": factors,
            "thickness": problem.state(torch.from_numpy(last)).thickness.numpy(),
        }

    return call


def trained(
    package: Path, loss: Callable[[Tensor, Tensor], Tensor], device: torch.device
) -> Callable[[], Found]:
    """Take steps of a training of a delivered network."""
    model = load_package(package)
    classes = len(model.card.classes)
    pixels = torch.from_numpy(image(model.card.bands, 256))
    images = torch.stack([pixels.roll(31 * number, 2) for number in range(4)])
    images = torch.cat([images, images[:, :1]], 1)[:, : model.card.inputs]
    truths = (images[:, 0] > 0).long() * (classes - 1) + 1

    def call() -> Found:
        network: nn.Module = copy.deepcopy(model.network).train().requires_grad_()
        learner = Learner(network, device, loss)
        return {
            "losses": np.array([float(learner.learn((images, truths), 1e-4)) for _ in range(3)])
        }

    return call


def taught(cells: int, device: torch.device) -> Callable[[], Found]:
    """Take steps of a training of an emulator by shallow ice."""
    thickness, surface = glacier(cells)
    fields = {
        "rate_factor": torch.full_like(thickness, RATE),
        "sliding": torch.full_like(thickness, SLIDING),
    }
    found = shallow_ice(thickness, surface, CELL, *fields.values())
    velocity = torch.stack([found.mean, found.base, found.surface])
    solved = Solved(CELL, thickness, surface, **fields, velocity=velocity, residual=0.0)

    def call() -> Found:
        torch.manual_seed(2)
        pupil = pupils.PyramidPupil.new(pupils.DELIVERED)
        example = pupil.example(solved).to(device)
        pupil.network.to(device)
        training, rng = Training(pupil), np.random.default_rng(3)
        return {"losses": np.array([training.learn([example] * 4, rng) for _ in range(3)])}

    return call
