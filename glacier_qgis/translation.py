"""What a person reads, in the language of QGIS where there is a translation of it.

Texts are translated when they are made, most of them when their module is imported: the
translator is installed before that.
"""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator

from glacier_qgis.resources import TRANSLATIONS

CONTEXT = "Glacier"
"""Of all texts, in the files that ``tools/translations.py`` makes."""


def tr(text: str) -> str:
    """Return a text, which stands literally in the call, in the language of QGIS."""
    return QCoreApplication.translate(CONTEXT, text)


def install_translator() -> QTranslator | None:
    """Translate from now on, if there is a translation for the language of QGIS."""
    translator = QTranslator()
    locale = QLocale(QgsApplication.locale())
    if not translator.load(locale, "glacier_qgis", "_", str(TRANSLATIONS)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator
