"""CRSs that live as long as QGIS.

QGIS 3.40 forgets the definition of a CRS that a worker thread was the first to look up, once
that thread ends (half a minute later): the layer's WKT is empty then, and stays so. What comes
out of a thread is given its CRS again in the main thread, before the map takes it.
"""

from __future__ import annotations

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QThread


def is_main_thread() -> bool:
    """Return whether this is the thread that QGIS lives in."""
    application = QCoreApplication.instance()
    return application is not None and QThread.currentThread() == application.thread()


def definition_of(crs: QgsCoordinateReferenceSystem) -> str:
    """Return what a CRS can be made from again; blank for none."""
    if not crs.isValid():
        return ""
    return crs.authid() or f"WKT:{crs.toWkt(Qgis.CrsWktVariant.Preferred)}"


def learn(definition: str) -> None:
    """Look a CRS up in this thread, whatever another had made of it."""
    QgsCoordinateReferenceSystem.invalidateCache()
    QgsCoordinateReferenceSystem(definition).toWkt()


def renew(owner: QgsMapLayer | QgsProject, definition: str) -> None:
    """Give a layer or a project its CRS again; setting an equal one would change nothing."""
    owner.setCrs(QgsCoordinateReferenceSystem())
    owner.setCrs(QgsCoordinateReferenceSystem(definition))
