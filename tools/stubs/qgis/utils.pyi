from qgis.gui import QgisInterface

iface: QgisInterface | None
