"""Codes of classes: the product's by name or number, others from 5 on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, NO_DATA, OCEAN, ROCK

FIRST_FREE, LAST = 5, 254

_SYNONYMS = {
    NO_DATA: ("nodata", "radarshadow", "shadow"),
    ROCK: ("rock", "bedrock", "land"),
    GLACIER: ("glacier", "ice", "glacierice"),
    OCEAN: ("ocean", "sea", "water", "melange", "icemelange", "oceanandmelange"),
}
_CODES = {name: code for code, names in _SYNONYMS.items() for name in names}


def class_codes(names: Iterable[object]) -> dict[str, int]:
    """Return the code of each class in the labels.

    Case, accents, spaces and punctuation are ignored; 1 to 4 are codes; other names get codes from
    `FIRST_FREE` on, in alphabetical order.

    Raises:
        EngineError: There are more classes than codes.
    """
    texts = sorted({value_text(name) for name in names})
    known = {text: code for text in texts if (code := _known(text)) is not None}
    others = [text for text in texts if text not in known]
    if len(others) > LAST - FIRST_FREE + 1:
        raise EngineError(
            f"CLASS_FIELD has {len(texts)} different values, such as {', '.join(texts[:3])}: "
            "choose the field with the name of the class."
        )
    return known | {text: FIRST_FREE + index for index, text in enumerate(others)}


def class_title(code: int, names: Iterable[str]) -> str:
    """Return the name of a class in the card: the product's name, or that of the labels."""
    return CLASS_NAMES.get(code) or next(iter(sorted(names)), f"class {code}")


def _known(text: str) -> int | None:
    if text.isdecimal() and int(text) in CLASS_NAMES:
        return int(text)
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _CODES.get("".join(sign for sign in plain if sign.isalpha() and sign.isascii()))
