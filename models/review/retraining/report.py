"""The page that a retraining writes."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.review.retraining.finished import FinishedTraining
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.kinds import FRONTS, kind_of


def training_page(card: ModelCard, finished: FinishedTraining) -> HtmlPage:
    """Begin the page: errors, when to stop, what was trained on, and both models.

    Args:
        card: Of the new model.
        finished: Its training.
    """
    before, outcome, taught = finished.before, finished.outcome, finished.taught
    page = HtmlPage(f"Training of {card.name}", outcome.sentence(before.name))
    page.heading("Errors before and after")
    kind = kind_of(taught[0].crs)
    page.paragraph(
        "Mean distance between corrected fronts and the lines that 'Delineate termini' and "
        "'Terminus time series' find with the model, in the box of 1 km around the fronts, and "
        "scenes in which no front was found."
        if kind is FRONTS
        else "Mean distance in depth of predicted points from the nearest corrected layer, and "
        "points that were missed or false, within 2 samples."
    )
    if outcome.compared:
        page.table(
            [
                {
                    "Network": each.title,
                    kind.images.capitalize(): each.before.images,
                    "Before": each.before.words,
                    "After": each.after.words
                    if each.dropped is None
                    else f"as before ({each.dropped.words} after the training)",
                }
                for each in outcome.compared
            ]
        )
    page.heading("When to stop")
    page.paragraph(finished.result.stop.sentence())
    page.heading(f"Corrected {kind.images}")
    page.table(
        [
            {
                kind.image.capitalize(): _named(scene),
                "Glacier" if kind is FRONTS else "Segment": scene.glacier,
                "Date": scene.date.isoformat() if scene.date else "",
                "Status": scene.status,
                "Error of the prediction (m)": scene.error_m,
            }
            for scene in taught
        ]
    )
    page.heading("How it was made")
    models = {"Model before": before, "Model": card}
    facts = {title: _with_hash(model) for title, model in models.items()}
    if kind is FRONTS:
        facts["Rock"] = "a channel that half of the patches lack" if card.rock else "not known"
    page.facts({**facts, "Training": finished.how()})
    return page


def _with_hash(card: ModelCard) -> str:
    return f"{card.name} {card.version} ({card.weights.sha256[:12]}…)"


def _named(scene: CorrectedScene) -> str:
    """Return the name of a file, and of a stretch of it where it has some."""
    name = Path(scene.scene).name
    if kind_of(scene.crs) is FRONTS:
        return name
    first, _, last, _ = scene.footprint.bounds
    return f"{name}, traces {first:.0f} to {last - 1:.0f}"
