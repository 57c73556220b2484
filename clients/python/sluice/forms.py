"""Values held against the interface's printed types, so that nothing rests on an answer of another
form. Decides and does nothing.
"""

import functools
import types
import typing
from typing import Any

from . import interface


@functools.cache
def fields_of(form: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """A class's fields with their types, and those that may be absent."""
    # Not by `__required_keys__`: it takes every field of a class with postponed hints for required.
    hints = typing.get_type_hints(form, include_extras=True)
    optional = {name for name in hints if typing.get_origin(hints[name]) is typing.NotRequired}
    return typing.get_type_hints(form), frozenset(optional)


def fault(value: Any, form: Any, place: str, is_strict: bool = False) -> str | None:
    """Why a value is not of a type; None if it is. Members that the type does not know are let
    through unless `is_strict`, for members may be added."""
    if isinstance(form, typing.ForwardRef):
        form = getattr(interface, form.__forward_arg__)
    origin = typing.get_origin(form)
    if form is Any:
        return None
    if origin in (typing.Union, types.UnionType):
        faults = [fault(value, one, place, is_strict) for one in typing.get_args(form)]
        return None if None in faults else "; ".join(each for each in faults if each)
    if origin is typing.Literal:
        is_name = isinstance(value, str) and value in typing.get_args(form)
        return None if is_name else f"{place}: {value!r:.40} is no name of it"
    if origin is list:
        if not isinstance(value, list):
            return f"{place}: no list"
        (item,) = typing.get_args(form)
        found = (fault(one, item, f"{place}[{at}]", is_strict) for at, one in enumerate(value))
        return next((one for one in found if one), None)
    if typing.is_typeddict(form):
        return fault_of_fields(value, form, place, is_strict)
    is_right = isinstance(value, form) and not (form is int and isinstance(value, bool))
    return None if is_right else f"{place}: {value!r:.40} is no {form.__name__}"


def fault_of_fields(value: Any, form: Any, place: str, is_strict: bool) -> str | None:
    """Why a value is not an object with a class's fields; None if it is."""
    if not isinstance(value, dict):
        return f"{place}: no object"
    fields, optional = fields_of(form)
    missing = set(fields) - optional - set(value)
    # OpenRPC lets a document have fields of its own, which begin so.
    surplus = {name for name in set(value) - set(fields) if not name.startswith("x-")}
    if missing or surplus and is_strict:
        return f"{place}: without {sorted(missing)}, with {sorted(surplus)}"
    known = (name for name in fields if name in value)
    faults = (fault(value[name], fields[name], f"{place}.{name}", is_strict) for name in known)
    return next((one for one in faults if one), None)


def fault_of_result(method: str, result: Any) -> str | None:
    """Why a result is not one of a method; None if it is."""
    return fault(result, interface.METHODS[method][1], method)
