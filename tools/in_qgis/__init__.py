"""What uses QGIS as a person does, and needs nothing but the standard library and QGIS.

The same files run under any QGIS, in any root: ``python3 -m in_qgis.smoke`` in
``tools/``.
"""
