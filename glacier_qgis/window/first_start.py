"""The message bar that offers the engine's set-up where there is no engine."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import Qgis
from qgis.gui import QgisInterface
from qgis.PyQt.QtWidgets import QPushButton

from glacier_qgis.client.engine import engine_obstacle, is_begun
from glacier_qgis.messages.links import SET_UP_ENGINE, open_dialog
from glacier_qgis.settings import is_offer_dismissed, set_offer_dismissed
from glacier_qgis.setup.needs import engine_size
from glacier_qgis.translation import tr

OFFER = "GlacierEngineOffer"


def offer_engine(iface: QgisInterface) -> None:
    """Offer the set-up, unless there is an engine or the offer was dismissed for good."""
    obstacle = "" if is_offer_dismissed() else engine_obstacle()
    if not obstacle:
        return
    bar = iface.messageBar()
    item = bar.createMessage(_text(obstacle))
    item.setObjectName(OFFER)

    def answer(title: str, act: Callable[[], None]) -> None:
        button = QPushButton(title)
        button.clicked.connect(act)
        button.clicked.connect(lambda: bar.popWidget(item))
        item.layout().addWidget(button)

    answer(tr("Set up engine…"), lambda: open_dialog(SET_UP_ENGINE))
    answer(tr("Do not show again"), lambda: set_offer_dismissed(True))
    bar.pushWidget(item, Qgis.MessageLevel.Info)


def withdraw_offer(iface: QgisInterface | None) -> None:
    """Take the offer away once there is an engine."""
    bar = iface.messageBar() if iface is not None else None
    if bar is None or engine_obstacle():
        return
    for item in bar.items():
        if item.objectName() == OFFER:
            bar.popWidget(item)


def _text(obstacle: str) -> str:
    if is_begun():
        return obstacle
    size = engine_size()
    return tr("Glacier needs its engine once{size}.").format(size=f" ({size})" if size else "")
