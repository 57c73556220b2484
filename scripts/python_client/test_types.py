"""The types of the interface, held against the calls that a live node answered."""

import copy
import json
import pathlib
import types
import typing
import unittest

import sluice_types

RECORDS = pathlib.Path(__file__).resolve().parents[2] / "rpc" / "api" / "examples.json"
CALLS = json.loads(RECORDS.read_text())


def fault(value, form, place):
    """Why a value is not of a type; None if it is."""
    if isinstance(form, typing.ForwardRef):
        form = getattr(sluice_types, form.__forward_arg__)
    origin = typing.get_origin(form)
    if form is typing.Any:
        return None
    if origin in (typing.Union, types.UnionType):
        faults = [fault(value, one, place) for one in typing.get_args(form)]
        return None if None in faults else "; ".join(faults)
    if origin is typing.Literal:
        return None if value in typing.get_args(form) else f"{place}: {value!r} is no name of it"
    if origin is list:
        if not isinstance(value, list):
            return f"{place}: no list"
        (item,) = typing.get_args(form)
        faults = (fault(one, item, f"{place}[{at}]") for at, one in enumerate(value))
        return next((one for one in faults if one), None)
    if typing.is_typeddict(form):
        return fault_of_fields(value, form, place)
    is_right = isinstance(value, form) and not (form is int and isinstance(value, bool))
    return None if is_right else f"{place}: {value!r} is no {form.__name__}"


def fault_of_fields(value, form, place):
    """Why a value is not an object with a class's fields; None if it is."""
    if not isinstance(value, dict):
        return f"{place}: no object"
    # Not by `__required_keys__`: it takes every field of a class with postponed hints for required.
    hints = typing.get_type_hints(form, include_extras=True)
    optional = {name for name in hints if typing.get_origin(hints[name]) is typing.NotRequired}
    fields = typing.get_type_hints(form)
    missing = set(fields) - optional - set(value)
    # OpenRPC lets a document have fields of its own, which begin so.
    value = {name: one for name, one in value.items() if not name.startswith("x-")}
    surplus = set(value) - set(fields)
    if missing or surplus:
        return f"{place}: without {sorted(missing)}, with {sorted(surplus)}"
    faults = (fault(value[name], fields[name], f"{place}.{name}") for name in value)
    return next((one for one in faults if one), None)


class Types(unittest.TestCase):
    """Every recorded call is of its method's types."""

    def test_every_recorded_call_has_the_types_of_its_method(self):
        self.assertGreater(len(CALLS), 50)
        for name, call in CALLS.items():
            params, result = sluice_types.METHODS[name]
            self.assertIsNone(fault(call["params"], params, name))
            self.assertIsNone(fault(call["result"], result, name))
            if name in sluice_types.SUBSCRIPTIONS:
                notification, end, event = sluice_types.SUBSCRIPTIONS[name]
                self.assertEqual(call["notification"]["method"], notification)
                self.assertIn(end, sluice_types.METHODS)
                self.assertIsNone(fault(call["notification"]["params"]["result"], event, name))

    def test_every_method_but_ends_of_subscriptions_has_a_recorded_call(self):
        ends = {end for _, end, _ in sluice_types.SUBSCRIPTIONS.values()}
        self.assertEqual(set(sluice_types.METHODS) - ends, set(CALLS))

    def test_a_call_of_other_types_is_found(self):
        def changed(name, change):
            call = copy.deepcopy(CALLS[name])
            change(call)
            params, result = sluice_types.METHODS[name]
            return fault(call["params"], params, "") or fault(call["result"], result, "")

        self.assertIsNone(changed("ledger_account", lambda call: None))
        for change in (
            lambda call: call["result"].pop("account"),
            lambda call: call["result"].update(surplus=1),
            lambda call: call["result"].update(account=7),
            lambda call: call["params"].pop("account"),
        ):
            self.assertIsNotNone(changed("ledger_account", change))


if __name__ == "__main__":
    unittest.main()
