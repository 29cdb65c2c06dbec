"""What a run delivered, handed to QGIS: dressed, named, in order, in a group of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import commonprefix
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, Qt

from glacier_qgis import styles
from glacier_qgis.results.coordinates import definition_of, is_main_thread, learn, renew
from glacier_qgis.results.files import (
    keep_in_database,
    keep_with_file,
    metadata_of,
    open_file,
)
from glacier_qgis.results.presenter import Presenter, Style
from glacier_qgis.results.run import Run, subject_of
from glacier_qgis.translation import tr

BECOME_LAYERS = {"sink", "vectorDestination", "rasterDestination"}
LAYER_INPUTS = {"raster", "source", "vector", "layer", "multilayer"}


def first_input(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> str:
    """Return the name of the first layer, file or folder that an algorithm is given."""
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        if parameters.get(name) in (None, "", []):
            continue
        if isinstance(definition, QgsProcessingParameterFile):
            return Path(algorithm.parameterAsFile(parameters, name, context)).stem
        if definition.type() == "multilayer":
            return _common_name(parameters[name])
        if definition.type() in LAYER_INPUTS:
            layer = algorithm.parameterAsLayer(parameters, name, context)
            if layer is not None:
                return str(layer.name())
    return ""


def _common_name(given: object) -> str:
    """Return what the names of several layers begin with."""
    layers = given if isinstance(given, list | tuple) else [given]
    names = [one.name() if isinstance(one, QgsMapLayer) else Path(str(one)).stem for one in layers]
    alike = commonprefix(names)  # noqa: RUF071  letter by letter is what is meant
    return alike.rstrip("_-. 0123456789") or tr("{count} layers").format(count=len(names))


def run_of(
    algorithm: QgsProcessingAlgorithm,
    command: str,
    given: str,
    values: Mapping[str, Any],
    context: QgsProcessingContext,
) -> Run:
    """Return what the layers of a run have in common.

    Args:
        algorithm: What ran.
        command: How to run it again.
        given: The name of its first input.
        values: What the engine gave back.
        context: In a model, where a step before this one may have left layers of the same thing:
            they share a group.
    """
    about = values.get("ABOUT") or {}
    run = Run(
        title=f"{algorithm.displayName()} ({algorithm.id()})",
        command=command,
        subject=subject_of(about, given),
        model=about.get("MODEL", ""),
        values=values,
    )
    for details in context.layersToLoadOnCompletion().values():
        before = details.postProcessor()
        if isinstance(before, Presenter) and before.run.subject == run.subject:
            return run.beside(before.run)
    return run


def hand_over(
    algorithm: QgsProcessingAlgorithm,
    look: Mapping[str, Style],
    run: Run,
    outputs: Mapping[str, Any],
    context: QgsProcessingContext,
) -> None:
    """Dress each layer of a run, and say how it is to be loaded.

    Args:
        algorithm: What ran.
        look: How outputs look, by name, from the top of the map down.
        run: What the layers have in common.
        outputs: The values of the outputs.
        context: That of `processAlgorithm`.
    """
    for definition in algorithm.destinationParameterDefinitions():
        name = definition.name()
        if outputs.get(name) and definition.type() in BECOME_LAYERS:
            order = len(look) - [*look].index(name) if name in look else 0
            _hand_over(definition, look.get(name), order, run, str(outputs[name]), context)


def _hand_over(
    definition: QgsProcessingParameterDefinition,
    style: Style | None,
    order: int,
    run: Run,
    value: str,
    context: QgsProcessingContext,
) -> None:
    title = definition.description()
    memory = context.temporaryLayerStore().mapLayer(value)
    layer = memory or open_file(value)
    whole = layer is not None
    if layer is not None:
        if style is not None:
            style(layer, run.values)
        layer.setMetadata(metadata_of(run, title, layer))
        if memory is None:
            whole = keep_with_file(layer, styled=style is not None)
    if not context.willLoadLayerOnCompletion(value):
        return
    presenter = Presenter.create(
        run,
        style=None if whole else style,
        in_file=layer is not None and memory is None,
        crs=definition_of(layer.crs()) if layer is not None else "",
        covers=style in styles.COVERING,
        aside=style in styles.ASIDE,
    )
    _load(context.layerToLoadOnCompletionDetails(value), title, order, presenter)


def _load(
    details: QgsProcessingContext.LayerDetails, title: str, order: int, presenter: Presenter
) -> None:
    if details.name in ("", title):  # else a person chose another
        details.name = f"{title}: {presenter.run.subject}"
    details.groupName = presenter.run.token
    details.layerSortKey = order
    details.setPostProcessor(presenter)


def load_scenes(
    run: Run,
    scenes: Sequence[Mapping[str, str]],
    project: QgsProject,
    context: QgsProcessingContext,
) -> None:
    """Let the dated scenes of a series be loaded under its lines, each until the next one's day.

    Args:
        run: Of the series.
        scenes: Path and ISO date of each, in order of time.
        project: Where to.
        context: That of `processAlgorithm`.
    """
    days = [QDate.fromString(scene["date"], Qt.DateFormat.ISODate) for scene in scenes]
    later = sorted({*days}, key=QDate.toJulianDay)
    ends = dict(zip(later, [*later[1:], later[-1].addDays(1)], strict=True)) if later else {}
    for below, (scene, day) in enumerate(zip(scenes, days, strict=True), -len(scenes)):
        details = QgsProcessingContext.LayerDetails(
            subject_of({"DATE": scene["date"]}, Path(scene["path"]).stem),
            project,
            "",
            QgsProcessingUtils.LayerHint.Raster,
        )
        style = styles.scene_until(day, ends[day])
        _load(details, "", below, Presenter.create(run, style=style, backdrop=True))
        context.addLayerToLoadOnCompletion(scene["path"], details)


def load_tables(
    run: Run,
    layers: Mapping[str, QgsVectorLayer],
    titles: Mapping[str, str],
    looks: Mapping[str, Style],
    context: QgsProcessingContext,
    *,
    aside: bool = False,
) -> None:
    """Dress the tables of a database, keep their looks and forms in it, and let them be loaded.

    Args:
        run: Where they come from.
        layers: By table.
        titles: What a person calls each.
        looks: How each looks, from the top of the map down.
        context: That of `processAlgorithm`.
        aside: Whether they lie in the local system of echograms, off the map.
    """
    for order, (table, style) in enumerate(looks.items()):
        layer = layers[table]
        style(layer, run.values)
        layer.setMetadata(metadata_of(run, titles[table], layer))
        keep_in_database(layer)
        provider, uri = layer.providerType(), layer.source()
        source = (
            uri if provider == "ogr" else QgsProcessingUtils.encodeProviderKeyAndUri(provider, uri)
        )
        details = QgsProcessingContext.LayerDetails(
            titles[table], context.project(), "", QgsProcessingUtils.LayerHint.Vector
        )
        crs = definition_of(layer.crs())
        presenter = Presenter.create(run, in_file=True, crs=crs, aside=aside)
        _load(details, titles[table], -order, presenter)
        context.addLayerToLoadOnCompletion(source, details)


def settle(context: QgsProcessingContext) -> None:
    """Make the CRSs of a run's layers the main thread's own, before the project takes them.

    Within a model this is a worker thread, and is left to the `Presenter`.
    """
    if not is_main_thread():
        return
    for value, details in context.layersToLoadOnCompletion().items():
        presenter = details.postProcessor()
        if isinstance(presenter, Presenter) and presenter.crs:
            learn(presenter.crs)
            layer = context.temporaryLayerStore().mapLayer(value)
            if layer is not None:
                renew(layer, presenter.crs)
            presenter.crs = ""
