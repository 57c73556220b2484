"""The types of the interface, held against the calls that a live node answered."""

import copy
import json
import pathlib
import unittest

from sluice import interface
from sluice.forms import fault as fault_of

RECORDS = pathlib.Path(__file__).resolve().parents[3] / "rpc" / "api" / "examples.json"
CALLS = json.loads(RECORDS.read_text())


def fault(value, form, place):
    """Why a value is not of a type, surplus members included."""
    return fault_of(value, form, place, is_strict=True)


class Types(unittest.TestCase):
    """Every recorded call is of its method's types."""

    def test_every_recorded_call_has_the_types_of_its_method(self):
        self.assertGreater(len(CALLS), 50)
        for name, call in CALLS.items():
            params, result = interface.METHODS[name]
            self.assertIsNone(fault(call["params"], params, name))
            self.assertIsNone(fault(call["result"], result, name))
            if name in interface.SUBSCRIPTIONS:
                notification, end, event = interface.SUBSCRIPTIONS[name]
                self.assertEqual(call["notification"]["method"], notification)
                self.assertIn(end, interface.METHODS)
                self.assertIsNone(fault(call["notification"]["params"]["result"], event, name))

    def test_every_method_but_ends_of_subscriptions_has_a_recorded_call(self):
        ends = {end for _, end, _ in interface.SUBSCRIPTIONS.values()}
        self.assertEqual(set(interface.METHODS) - ends, set(CALLS))

    def test_members_that_were_added_later_are_let_through(self):
        result = {**CALLS["ledger_account"]["result"], "surplus": 1}
        form = interface.METHODS["ledger_account"][1]
        self.assertIsNone(fault_of(result, form, ""))
        self.assertIsNotNone(fault(result, form, ""))
        self.assertIsNotNone(fault_of({**result, "account": None}, form, ""))

    def test_a_call_of_other_types_is_found(self):
        def changed(name, change):
            call = copy.deepcopy(CALLS[name])
            change(call)
            params, result = interface.METHODS[name]
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
