"""Links in messages that open a dialog of the toolbox: ``glacier:setupengine``."""

from __future__ import annotations

import re
from html import escape

from qgis.PyQt.QtCore import QObject, QTimer, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface

SCHEME = "glacier"
SET_UP_ENGINE = f"{SCHEME}:setupengine"
_NAMED = re.compile(rf"'([^']+)' \({SET_UP_ENGINE}\)")


def with_link(message: str) -> str:
    """Return a message with a link where it names the set-up, if there is a window to open."""
    if not message or iface is None:
        return message
    return _NAMED.sub(rf'<a href="{SET_UP_ENGINE}">\1</a>', escape(message, quote=False))


def open_dialog(identifier: str) -> None:
    """Open the dialog of an algorithm."""
    from processing.tools.general import createAlgorithmDialog

    dialog = createAlgorithmDialog(identifier)
    if dialog is not None:
        dialog.show()


class LinkOpener(QObject):
    """Opens what the links name, for as long as the plugin is loaded."""

    def __init__(self) -> None:
        super().__init__()
        QDesktopServices.setUrlHandler(SCHEME, self, "open")

    @pyqtSlot(QUrl)
    def open(self, url: QUrl) -> None:
        """Close the message that the link is in, then open what it names."""
        message = QApplication.activeModalWidget()
        if message is not None:
            message.close()
        QTimer.singleShot(0, lambda: open_dialog(url.toString()))

    def close(self) -> None:
        """Let go of the links."""
        QDesktopServices.unsetUrlHandler(SCHEME)
