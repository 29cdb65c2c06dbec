"""The tables of a review: from its GeoPackage to PostGIS, from there to a copy, and what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsProcessingException,
    QgsVariantUtils,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt

from glacier_qgis.processing.postgis.connection import Database, literal, quoted
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import (
    CORRECTIONS,
    LINE_STATES,
    LINES,
    MODELS,
    PREDICTED,
    QUALITIES,
    SCENES,
    STRATEGIES,
    TABLES,
    TASK_STATES,
    TASKS,
)

KEY, GEOMETRY = "fid", "geom"
SPATIAL = (TASKS, LINES, PREDICTED)
TYPES = {
    QMetaType.Type.Int: "integer",
    QMetaType.Type.LongLong: "bigint",
    QMetaType.Type.Double: "float8",
    QMetaType.Type.Bool: "boolean",
    QMetaType.Type.QDate: "date",
    QMetaType.Type.QDateTime: "timestamptz",
}
"""PostgreSQL's type of a field; a text for all others."""
CHECKS: dict[str, dict[str, Sequence[object]]] = {
    TASKS: {"status": TASK_STATES, "strategy": STRATEGIES},
    LINES: {"status": LINE_STATES, "quality": QUALITIES},
}
UNIQUE = {TASKS: ("task",), CORRECTIONS: ("task", "number"), MODELS: ("model_hash",)}
NEW = {CORRECTIONS: ("task", "number"), MODELS: ("model_hash",)}
"""What tells the rows apart of tables to which rows are appended."""


def share(review: Path, database: Database) -> None:
    """Make the tables of a review in a schema that has none, all of them or none.

    Raises:
        QgsProcessingException: There is a review already, the CRS has no code, or the database does
            not take it. Nothing is changed.
    """
    require_no_review(database)
    statements = [f"CREATE SCHEMA IF NOT EXISTS {quoted(database.schema)}"]
    for table in TABLES:
        layer = table_of_file(review, table)
        statements += _made(database, table, layer)
        statements += _filled(database, table, layer, layer.getFeatures())
    statements += _rules(database, table_of_file(review, CORRECTIONS))
    database.change(statements)


def require_no_review(database: Database) -> None:
    """Refuse a schema that holds a review.

    Raises:
        QgsProcessingException: It does.
    """
    if found := database.table_names() & set(TABLES):
        raise QgsProcessingException(
            tr(
                "SCHEMA: '{shown}' holds a table '{table}' already. Choose another schema, so that "
                "the review in it is kept."
            ).format(shown=database.shown, table=sorted(found)[0])
        )


def fetch(database: Database, path: Path) -> None:
    """Copy the tables of a shared review to a new GeoPackage.

    Raises:
        QgsProcessingException: A table cannot be read or written.
    """
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerOptions = "GPKG", [f"FID={KEY}", f"GEOMETRY_NAME={GEOMETRY}"]
    for table in TABLES:
        if table == SCENES and table not in database.table_names():
            continue  # shared by an earlier version
        layer = database.layer(table, GEOMETRY if table in SPATIAL else "")
        options.layerName = table
        error, message, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(
            layer, str(path), QgsCoordinateTransformContext(), options
        )
        if error != QgsVectorFileWriter.WriterError.NoError:
            raise QgsProcessingException(
                tr(
                    "The table '{table}' of '{shown}' cannot be copied to {path} ({message})."
                ).format(table=table, shown=database.shown, path=path, message=message)
            )
        options.actionOnExistingFile = (
            QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer
        )


def give_back(path: Path, database: Database) -> None:
    """Append the rows that a copy has more than the shared review, all of them or none.

    Raises:
        QgsProcessingException: The database is gone, or has such a row from somebody else. Nothing
            is changed.
    """
    statements: list[str] = []
    for table, keys in NEW.items():
        before = {_key(each, keys) for each in database.layer(table, "").getFeatures()}
        copy = table_of_file(path, table)
        new = [each for each in copy.getFeatures() if _key(each, keys) not in before]
        statements += _filled(database, table, copy, iter(new))
    statements += _used(database, table_of_file(path, CORRECTIONS))
    if statements:
        database.change(statements)


def table_of_file(path: Path, table: str) -> QgsVectorLayer:
    """Open a table of a review GeoPackage.

    Raises:
        QgsProcessingException: It cannot be read.
    """
    layer = QgsVectorLayer(f"{path}|layername={table}", table, "ogr")
    if not layer.isValid():
        raise QgsProcessingException(
            tr("The table '{table}' of {path} cannot be read.").format(table=table, path=path)
        )
    return layer


def _place(database: Database, table: str) -> str:
    return f"{quoted(database.schema)}.{quoted(table)}"


def _made(database: Database, table: str, layer: QgsVectorLayer) -> Iterator[str]:
    """Yield the statements that make a table of the fields that a layer has."""
    fields = [f"{KEY} serial PRIMARY KEY"]
    for field in layer.fields().toList():
        if field.name() == KEY:
            continue
        kind = TYPES.get(field.type(), "text")
        allowed = CHECKS.get(table, {}).get(field.name())
        check = f" CHECK ({quoted(field.name())} IN ({_listed(allowed)}))" if allowed else ""
        needed = " NOT NULL" if allowed and table == TASKS else ""
        fields.append(f"{quoted(field.name())} {kind}{needed}{check}")
    if table in SPATIAL:
        code = layer.crs().postgisSrid()
        if not layer.crs().authid().startswith("EPSG:"):
            raise QgsProcessingException(
                tr(
                    "The review is in '{crs}', which PostGIS has no code for. Reproject the lines "
                    "to a CRS with an EPSG code first."
                ).format(crs=layer.crs().userFriendlyIdentifier())
            )
        kind = QgsWkbTypes.displayString(layer.wkbType())
        fields.append(f"{GEOMETRY} geometry({kind}, {code})")
    if table in UNIQUE:
        fields.append(f"UNIQUE ({', '.join(map(quoted, UNIQUE[table]))})")
    yield f"CREATE TABLE {_place(database, table)} ({', '.join(fields)})"
    if table in SPATIAL:
        yield f"CREATE INDEX ON {_place(database, table)} USING gist({GEOMETRY})"


def _filled(
    database: Database, table: str, layer: QgsVectorLayer, features: Iterator[QgsFeature]
) -> Iterator[str]:
    """Yield the statements that insert features of a layer into a table."""
    kept = [name for name in layer.fields().names() if name != KEY]
    spatial = table in SPATIAL
    columns = ", ".join(map(quoted, [*kept, GEOMETRY] if spatial else kept))
    for feature in features:
        values = [literal(_plain(feature[name])) for name in kept]
        if spatial:
            shape = bytes(feature.geometry().asWkb()).hex()
            values.append(f"ST_GeomFromWKB('\\x{shape}', {layer.crs().postgisSrid()})")
        place = _place(database, table)
        yield f"INSERT INTO {place} ({columns}) VALUES ({', '.join(values)})"  # noqa: S608  # nosec B608: own or quoted names


def _rules(database: Database, corrections: QgsVectorLayer) -> Iterator[str]:
    """Yield what keeps predictions frozen and corrections append-only."""
    refuse = f"{quoted(database.schema)}.refuse"
    said = tr("the rows of this table stay as they are: edit the lines, and record them again")
    body = f"BEGIN RAISE {literal(said)}; END"
    yield f"CREATE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS {literal(body)}"
    kept = [name for name in corrections.fields().names() if name not in (KEY, "used_in")]
    changes = {PREDICTED: "UPDATE", CORRECTIONS: f"UPDATE OF {', '.join(map(quoted, kept))}"}
    for table, change in changes.items():
        yield (
            f"CREATE TRIGGER kept BEFORE DELETE OR {change} ON {_place(database, table)} "
            f"FOR EACH ROW EXECUTE FUNCTION {refuse}()"
        )


def _used(database: Database, copy: QgsVectorLayer) -> Iterator[str]:
    """Yield the statements that note in corrections which models were trained on them."""
    shared = database.layer(CORRECTIONS, "")
    before = {_key(each, NEW[CORRECTIONS]): each["used_in"] for each in shared.getFeatures()}
    for each in copy.getFeatures():
        key, used = _key(each, NEW[CORRECTIONS]), _plain(each["used_in"])
        known = str(_plain(before.get(key)) or "").split()
        new = [model for model in str(used or "").split() if model not in known]
        if key in before and new:
            yield (
                f"UPDATE {_place(database, CORRECTIONS)} SET used_in = "  # noqa: S608  # nosec B608: own or quoted names
                f"trim(coalesce(used_in, '') || {literal(' ' + ' '.join(new))}) "
                f"WHERE task = {key[0]} AND number = {key[1]}"
            )


def _key(feature: QgsFeature, names: Sequence[str]) -> tuple[object, ...]:
    return tuple(feature[name] for name in names)


def _plain(value: object) -> object:
    """Return an attribute as a value of Python; dates and times as ISO 8601."""
    if QgsVariantUtils.isNull(value):
        return None
    if isinstance(value, QDateTime):
        return value.toUTC().toString(Qt.DateFormat.ISODateWithMs)
    return value.toString(Qt.DateFormat.ISODate) if isinstance(value, QDate) else value


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(literal, values))
