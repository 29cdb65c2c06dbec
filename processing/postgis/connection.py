"""A connection to PostGIS, by the name that QGIS knows it by or by a URI."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from qgis.core import (  # type: ignore[attr-defined]  # the stubs lack an exception
    QgsAbstractDatabaseProviderConnection,
    QgsDataSourceUri,
    QgsProcessingException,
    QgsProviderConnectionException,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from glacier_qgis.translation import tr

PROVIDER = "postgres"


class Database:
    """A schema of a PostGIS database.

    Args:
        connection: The name of a connection of QGIS' browser, or a URI such as
            ``host=db dbname=glaciers user=ada``.
        schema: The name of the schema.

    Raises:
        QgsProcessingException: There is no such connection, or no such database.
    """

    def __init__(self, connection: str, schema: str) -> None:
        self.shown = f"{_without_password(connection)}, {schema}"
        self.schema = schema
        metadata = QgsProviderRegistry.instance().providerMetadata(PROVIDER)
        if metadata is None:
            raise QgsProcessingException(
                tr("CONNECTION: this QGIS has no provider for PostgreSQL. Install it.")
            )
        try:
            names = metadata.connections()
            if connection in names:
                self._connection = metadata.createConnection(connection)
            elif "=" in connection:
                self._connection = metadata.createConnection(connection, {})
            else:
                known = ", ".join(sorted(names)) or tr("none")
                raise QgsProcessingException(
                    tr(
                        "CONNECTION: there is no connection '{name}' to PostgreSQL. Choose one of: "
                        "{known}; or give a URI such as 'host=db dbname=glaciers user=ada'."
                    ).format(name=connection, known=known)
                )
            self._look()
        except QgsProviderConnectionException as error:
            raise QgsProcessingException(
                tr(
                    "CONNECTION: the database of '{shown}' cannot be reached, or has no PostGIS "
                    "({error}). Nothing was changed. Check the connection in the browser of QGIS."
                ).format(shown=self.shown, error=_reason(error))
            ) from error

    def _look(self) -> None:
        """See that PostGIS answers.

        QGIS keeps connections open. The first use of one whose server was restarted since fails,
        and QGIS drops it: then a second look makes another.
        """
        look = "SELECT postgis_version()"
        try:
            self.query(look)
        except QgsProviderConnectionException:
            self.query(look)

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows that a statement selects.

        Raises:
            QgsProviderConnectionException: It cannot be run.
        """
        return list(cast(QgsAbstractDatabaseProviderConnection, self._connection).executeSql(sql))

    def change(self, statements: Sequence[str]) -> None:
        """Run statements, all of them or none: PostgreSQL takes one text as one transaction.

        Raises:
            QgsProcessingException: One cannot be run, or the database is gone. Nothing is changed.
        """
        try:
            self.query("; ".join(statements))
        except QgsProviderConnectionException as error:
            raise QgsProcessingException(
                tr(
                    "The database of '{shown}' did not take the changes ({error}). None of them "
                    "was made: run again when it is there."
                ).format(shown=self.shown, error=_reason(error))
            ) from error

    def table_names(self) -> set[str]:
        """Return the tables of the schema."""
        rows = self.query(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = "  # noqa: S608  # nosec B608: own or quoted names
            f"{literal(self.schema)}"
        )
        return {str(name) for (name,) in rows}

    def uri(self, table: str, geometry: str) -> str:
        """Return by what QGIS opens a table; blank `geometry` for a table without one."""
        uri = QgsDataSourceUri(self._connection.uri())
        uri.setDataSource(self.schema, table, geometry, "", "fid")
        return str(uri.uri(False))

    def layer(self, table: str, geometry: str) -> QgsVectorLayer:
        """Open a table.

        Raises:
            QgsProcessingException: It cannot be opened.
        """
        layer = QgsVectorLayer(self.uri(table, geometry), table, PROVIDER)
        if not layer.isValid():
            raise QgsProcessingException(
                tr(
                    "The table '{table}' of '{shown}' cannot be read. Check the connection, and "
                    "that the schema holds a review."
                ).format(table=table, shown=self.shown)
            )
        return layer


def literal(value: object) -> str:
    """Return a value as SQL holds it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return the name of a schema, table or field as SQL holds it."""
    return '"' + name.replace('"', '""') + '"'


def _reason(error: Exception) -> str:
    text = " ".join(_without_password(str(error)).split())
    return text.rstrip(".") or type(error).__name__


def _without_password(text: str) -> str:
    return re.sub(r"password=('[^']*'|\S*)", "password=…", text)
