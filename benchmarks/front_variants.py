"""What single changes of the training are worth on a glacier that was not seen.

    build/engine/bin/python benchmarks/front_variants.py --data DATA --runs build/variants SI JAC

For each glacier and each variant a U-Net is trained on the other glaciers, with the same seed and
as many steps (an HRNet in as much time), and is evaluated as in ``front_accuracy.py``. Runs that
are complete in the folder are not repeated; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from scipy.ndimage import distance_transform_edt  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.functional import conv2d, interpolate, leaky_relu, smooth_l1_loss  # noqa: E402

from glacier_qgis.models.compute.device import tune_allocator  # noqa: E402
from glacier_qgis.models.engine.events import EventStream, Silent  # noqa: E402
from glacier_qgis.models.networks.unet import UNet  # noqa: E402
from glacier_qgis.models.package.building import build  # noqa: E402
from glacier_qgis.models.training.data.samples import UNLABELLED  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.delivered.fit import BATCH, RATE, VIEW_CELL_M, WINDOW  # noqa: E402
from glacier_qgis.models.training.delivered.folds import judge  # noqa: E402
from glacier_qgis.models.training.delivered.front_lines import is_optical, read_front_lines  # noqa: E402
from glacier_qgis.models.training.delivered.hold_out import hold_out  # noqa: E402
from glacier_qgis.models.training.delivered.networks import NETWORKS  # noqa: E402
from glacier_qgis.models.training.fitting.fit import Fit, Loss, Schedule  # noqa: E402
from glacier_qgis.models.training.losses.distance import two_heads_loss  # noqa: E402
from glacier_qgis.models.training.losses.stray_contact import WEIGHT, stray_contact  # noqa: E402
from glacier_qgis.models.training.losses.zones import thinned, zone_loss  # noqa: E402
from glacier_qgis.models.training.views.sampling import (  # noqa: E402  # noqa: E402
    Batch,
    Batches,
    pools_by_group,
    sampler,
    with_negatives,
)

ZONES = 4
FAR = 30
"""Cells beyond which a distance to a boundary counts no more."""
FILTERS = 4
"""Channels between two random filters."""
HIDDEN = (8, 0.6)
"""Patches along a side of a view, and the share of them that a pretraining hides."""


def boundary_loss(logits: Tensor, zones: Tensor) -> Tensor:
    """Zone loss plus Kervadec et al. (2019), arXiv:1812.07032: probability times distance."""
    labels = thinned(zones, zones.shape[-1] // logits.shape[-1])
    labelled = labels != UNLABELLED
    signed = torch.stack(
        [torch.stack([_signed(image, code) for code in range(1, ZONES + 1)]) for image in labels]
    )
    wrong = (logits.softmax(dim=1) * signed).sum(dim=1) * labelled
    return zone_loss(logits, zones) + wrong.sum() / labelled.sum().clamp(min=1)


def _signed(zones: Tensor, code: int) -> Tensor:
    """Distance to a zone, negative inside it, as a share of `FAR`; nothing counts as any zone."""
    if code == 1:
        return torch.zeros(zones.shape)
    inside = ((zones == code) | (zones == UNLABELLED)).numpy()
    if inside.all() or not inside.any():
        return torch.full(zones.shape, -1.0 if inside.all() else 1.0)
    distance = distance_transform_edt(~inside) - distance_transform_edt(inside)
    return torch.from_numpy(distance / FAR).clamp(-1, 1).float()


def mix_styles(network: UNet) -> None:
    """Let features take over mean and deviation of another view's while learning.

    MixStyle (Zhou et al. 2021, arXiv:2104.02008), behind the first three levels.
    """
    chance = torch.distributions.Beta(0.3, 0.3)

    def mixed(block: nn.Module, _: object, features: Tensor) -> Tensor:
        if not block.training or torch.rand(()) > 0.5:
            return features
        mean = features.mean((2, 3), keepdim=True).detach()
        deviation = (features.var((2, 3), keepdim=True) + 1e-5).sqrt().detach()
        keep = chance.sample((len(features), 1, 1, 1)).to(features.dtype)
        order = torch.randperm(len(features))
        new_mean = keep * mean + (1 - keep) * mean[order]
        new_deviation = keep * deviation + (1 - keep) * deviation[order]
        return (features - mean) / deviation * new_deviation + new_mean

    for block in network.encoder[:3]:
        block.register_forward_hook(mixed)


def hide_patches(batches: Batches) -> Batches:
    """Views with patches hidden, and the views as they were, to learn to fill them in.

    After He et al. (2022), arXiv:2111.06377, for a convolutional network.
    """

    def draw(generator: torch.Generator) -> Batch:
        images, _ = batches(generator)
        patches, share = HIDDEN
        shown = torch.rand(len(images), 1, patches, patches, generator=generator) > share
        mask = interpolate(shown.float(), images.shape[-2:], mode="nearest")
        return torch.cat([images[:, :1] * mask, images[:, 1:]], dim=1), images[:, :2]

    return draw


def filtered(batches: Batches) -> Batches:
    """Views behind random filters: other textures and brightnesses, the same shapes.

    After Xu et al. (2021), arXiv:2007.13003, and Ouyang et al. (2023),
    doi:10.1109/TMI.2022.3224067: two random convolutions with a kink between, mixed with the
    view by a random share, then given the values of the view by rank, as scenes are ranked.
    """

    def draw(generator: torch.Generator) -> Batch:
        images, zones = batches(generator)
        changed = [
            _filtered(image, generator) if torch.rand((), generator=generator) < 0.5 else image
            for image in images
        ]
        return torch.stack(changed), zones

    return draw


def _filtered(image: Tensor, generator: torch.Generator) -> Tensor:
    value, valid = image[0], image[1] > 0
    features = value[None, None]
    for channels in (FILTERS, 1):
        side = 1 + 2 * int(torch.randint(2, (), generator=generator))
        shape = (channels, features.shape[1], side, side)
        offset = torch.randn(channels, generator=generator) * 0.5
        features = conv2d(features, torch.randn(shape, generator=generator), offset, padding="same")
        features = leaky_relu(features / features.std().clamp(min=1e-3), 0.1)
    other = features[0, 0][valid]
    share = torch.rand((), generator=generator)
    own = value[valid]
    mixed = share * (other - other.mean()) / other.std().clamp(min=1e-3) + (1 - share) * own
    ranked = torch.empty_like(own)
    ranked[mixed.argsort()] = own.sort().values
    result = image.clone()
    result[0, valid] = ranked
    return result


def all_losses(logits: Tensor, zones: Tensor) -> Tensor:
    """Loss of the delivered model."""
    return two_heads_loss(logits, zones) + WEIGHT * stray_contact(logits[:, :-1], zones)


def filling_loss(logits: Tensor, views: Tensor) -> Tensor:
    """How far the first channel is from the views' first band, where that is valid."""
    size = logits.shape[-2:]
    value, valid = interpolate(views, size, mode="area").unbind(dim=1)
    return (smooth_l1_loss(logits[:, 0], value, reduction="none") * valid).mean()


@dataclass(frozen=True)
class Variant:
    """What differs from the plain training.

    Attributes:
        network: A name of `NETWORKS`.
        pace: Steps that it takes while the plain training takes one.
        loss: The loss function.
        channels: Number of output channels; those of zones come first.
        prepare: Changes the network before training.
        change: Changes the training patches.
        pretrained: Share of the steps in which masked patches are reconstructed, before training on
            zones.
    """

    network: str = "unet"
    pace: float = 1.0
    loss: Loss = zone_loss
    channels: int = ZONES
    prepare: Callable[[Any], None] = lambda network: None
    change: Callable[[Batches], Batches] = lambda batches: batches
    pretrained: float = 0.0


VARIANTS = {
    "plain": Variant(),
    "mixstyle": Variant(prepare=mix_styles),
    "boundary": Variant(loss=boundary_loss),
    "two heads": Variant(loss=two_heads_loss, channels=ZONES + 1),
    "negatives": Variant(change=with_negatives),
    "together": Variant(loss=all_losses, channels=ZONES + 1, change=with_negatives),
    "filtered": Variant(
        loss=all_losses,
        channels=ZONES + 1,
        change=lambda batches: with_negatives(filtered(batches)),
    ),
    "pretrained": Variant(pretrained=0.5),
    "hrnet": Variant(network="hrnet", pace=1 / 1.7),
}


def learn(variant: Variant, batches: Batches, steps: int, folder: Path) -> dict[str, Tensor]:
    """Return weights of the plain network trained as a variant."""
    torch.manual_seed(1)
    architecture = NETWORKS[variant.network]
    parameters = architecture.parameters | {"classes": variant.channels}
    network = build(architecture.model_copy(update={"parameters": parameters}))
    variant.prepare(network)
    reporter = EventStream(sys.stderr)
    if variant.pretrained:
        schedule = Schedule(steps=round(variant.pretrained * steps), rate=RATE)
        filling = Fit(network, schedule, folder / "filling", seed=2, loss=filling_loss)
        network.load_state_dict(filling.run(hide_patches(batches), reporter))
    schedule = Schedule(steps=round(variant.pace * steps), rate=RATE)
    run = Fit(network, schedule, folder / "state", 1, loss=variant.loss)
    weights = run.run(variant.change(batches), reporter)
    for name in ("head.weight", "head.bias"):
        weights[name] = weights[name][:ZONES].contiguous()
    return weights


def main() -> None:
    """Print a line of figures for every variant and glacier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the test data")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("glaciers", nargs="+", help="each is held out in turn")
    given = parser.parse_args()
    tune_allocator()
    radar = read_caffe(given.data / "caffe256")
    optical = read_front_lines(given.data / "landsat_greenland" / "train")
    for glacier in given.glaciers:
        unseen = [scene for scene in radar if scene.group == glacier]
        learnt, _ = hold_out([*radar, *optical], [glacier])
        pools = [
            *pools_by_group(scene for scene in learnt if not is_optical(scene)),
            [scene for scene in learnt if is_optical(scene)],
        ]
        for name in given.variants:
            folder = given.runs / f"{name.replace(' ', '_')}_{glacier}"
            kept = folder / "weights.safetensors"
            if not kept.is_file():
                batches = sampler(pools, BATCH, WINDOW, VIEW_CELL_M)
                save_file(learn(VARIANTS[name], batches, given.steps, folder), kept)
            network = NETWORKS[VARIANTS[name].network]
            figures = judge(network, load_file(kept), unseen, Silent()).values()
            chosen = {key: round(value, 2) for key, value in figures.items() if "mde" in key}
            missed = {key: value for key, value in figures.items() if "missed_box" in key}
            print(f"{glacier}, {name}: {chosen | missed}", flush=True)


if __name__ == "__main__":
    main()
