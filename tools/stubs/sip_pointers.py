"""A plugin of mypy for the stubs of QGIS and PyQt, in which every pointer may be None.

SIP, which writes them, cannot know which calls return nothing: it writes ``QgsProject | None``
for ``QgsProject.instance()`` too. Calls are typed here as QGIS documents them, without the None.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.plugin import FunctionContext, MethodContext, Plugin
from mypy.typeops import make_simplified_union
from mypy.types import NoneType, Type, UnionType, get_proper_type

LIBRARIES = ("qgis.", "PyQt5.")


class SipPointers(Plugin):
    """What calls of QGIS and Qt return is there."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """See the base class."""
        return _there if fullname.startswith(LIBRARIES) else None

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """See the base class."""
        return _there if fullname.startswith(LIBRARIES) else None


def _there(context: FunctionContext | MethodContext) -> Type:
    found = get_proper_type(context.default_return_type)
    if not isinstance(found, UnionType):
        return found
    parts = [part for part in found.items if not isinstance(get_proper_type(part), NoneType)]
    return make_simplified_union(parts)


def plugin(version: str) -> type[Plugin]:
    """Return the plugin; called by mypy."""
    return SipPointers
