#!/usr/bin/env python3
"""Whether the files of a day's close add up: `sluice_close.py FOLDER [FOLDER OF THE DAY BEFORE]`.

Reads what `sluice close` wrote and nothing else, with the standard library alone. Exit code 0: all
adds up; 1: something does not, and is named; 2: the folder cannot be read.
"""

import collections
import csv
import decimal
import json
import pathlib
import sys

POSTED = ("gateway-liquidity", "fx-position")  # kinds whose nets a settlement posts
ZERO = decimal.Decimal(0)


class Wrong(Exception):
    """Something does not add up."""


def require(holds, what):
    """Refuses what does not hold."""
    if not holds:
        raise Wrong(what)


def number(cell):
    """The number in a cell; None when it holds none."""
    try:
        found = decimal.Decimal(cell)
    except decimal.InvalidOperation:
        return None
    return found if found.is_finite() else None


def plain(cell):
    """A cell as the document writes it: without the guard against formulas."""
    return cell[1:] if cell[:2] in ("'=", "'+", "'-", "'@", "'\t", "'\r") else cell


def lines(folder, name):
    """Yields a sheet's lines; at its end holds control sums and number of lines against them."""
    sums, count, ended = collections.Counter(), 0, None
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, strict=True):
            require(ended is None, f"{name}: a row stands after the number of lines")
            require(None not in row and None not in row.values(), f"{name}: a row has other cells")
            kind, currency = row.pop("row"), row["currency"]
            if kind == "line":
                count += 1
                for column, cell in row.items():
                    sums[currency, column] += number(cell) or ZERO
                yield row
            elif kind == "sum":
                for column, cell in row.items():
                    require(column == "currency" or cell == ""
                            or sums[currency, column] == number(cell),
                            f"{name}: the lines of {column} in {currency} do not add up to {cell}")
            else:
                require(kind == "rows", f"{name}: no row is a {kind!r}")
                ended = int(next(cell for column, cell in row.items() if column != "currency"))
    require(ended == count, f"{name}: {count} lines, and {ended} by its end")


def account(row):
    """The account that a row is about."""
    return row["currency"], row["kind"], row["owner"]


def amounts(row, *columns):
    """The amounts in columns of a row."""
    found = [number(row[column]) for column in columns]
    require(None not in found, f"no amount in {columns} of {row}")
    return found


def add(sums, key, *values):
    """Adds up several sums of a key at once."""
    before = sums.get(key, (ZERO,) * len(values))
    sums[key] = tuple(one + other for one, other in zip(before, values))


class Close:
    """A folder, and what its entries add up to."""

    def __init__(self, folder):
        self.folder = folder
        self.by_account, self.by_cause, self.posted = {}, {}, {}
        self.providers, self.figures = {}, {}
        for row in lines(folder, "entries"):
            self.take(row)

    def take(self, row):
        """Takes in an entry."""
        debits, credits = amounts(row, "debits", "credits")
        (currency, kind, owner), cause = account(row), row["cause"]
        add(self.by_account, account(row), 1, debits, credits)
        add(self.by_cause, (currency, cause), 1, debits, credits)
        if cause == "settlement" and kind != "scheme-settlement":
            add(self.posted, (row["subject"], account(row)), credits - debits)
        if (kind, cause) == ("merchant-payable", "instruction"):
            add(self.figures, ("arrived", currency), debits)
            add(self.figures, ("bounced", currency), credits)
        if kind == "fx-position" and cause in ("batch", "order"):
            add(self.providers, (currency, owner), credits, debits)

    def accounts(self):
        """Opening and turnover give the closing; all together are zero; the bank holds the rest."""
        left, totals = dict(self.by_account), {}
        for row in lines(self.folder, "accounts"):
            opening, closing, settled = amounts(row, "opening", "closing", "closing_settled")
            entries, debits, credits = amounts(row, "entries", "debits", "credits")
            require(opening + credits - debits == closing,
                    f"{account(row)}: opening and turnover do not give the closing balance")
            require(left.pop(account(row), (0, 0, 0)) == (entries, debits, credits),
                    f"{account(row)}: its entries do not add up to its turnover")
            held = closing if row["kind"] == "scheme-settlement" else settled
            add(totals, row["currency"], opening, closing, held)
        require(not left, f"entries of accounts that are not told: {list(left)}")
        for currency, sums in totals.items():
            require(sums == (0, 0, 0), f"balances in {currency} do not add up to zero: {sums}")
        for row in lines(self.folder, "trial_balance"):
            debits, credits, difference = amounts(row, "debits", "credits", "difference")
            require(debits == credits and difference == 0, f"the trial balance is not zero: {row}")

    def causes(self):
        """Every cause debits what it credits, and is what its entries add up to."""
        left = dict(self.by_cause)
        for row in lines(self.folder, "causes"):
            told = tuple(amounts(row, "entries", "debits", "credits"))
            require(told[1] == told[2], f"debits are not credits: {row}")
            require(left.pop((row["currency"], row["cause"]), None) == told,
                    f"the entries of a cause do not add up: {row}")
        require(not left, f"causes that are not told: {list(left)}")

    def nets(self):
        """The nets of a window are zero together; settlements posted them, and nothing else."""
        left = {key: sums for key, sums in self.posted.items() if sums != (0,)}
        totals = {}
        for row in lines(self.folder, "nets"):
            debits, credits, net, posted = amounts(
                row, "gross_debits", "gross_credits", "net", "posted")
            require(credits - debits == net, f"a net is not its sums': {row}")
            require(posted in (0, -net), f"what was posted is not the net: {row}")
            require(posted == 0 or row["kind"] in POSTED, f"nothing is posted for it: {row}")
            found = left.pop((row["window"], account(row)), (ZERO,))
            require(found == (posted,), f"the entries are not what was posted: {row}")
            add(totals, (row["window"], row["currency"]), net)
        require(not left, f"settlements posted what is in no net: {list(left)}")
        for key, sums in totals.items():
            require(sums == (0,), f"the nets of window and currency {key} are not zero: {sums}")

    def orders(self):
        """Cashback, instructions and conversions are what entries add up to."""
        told = {}
        for name in ("orders", "instructions"):
            for row in lines(self.folder, name):
                if row["amount"]:
                    add(told, (row["figure"], row["currency"]), *amounts(row, "amount"))
        for key, sums in self.figures.items():
            require(told.get(key, (0,)) == sums, f"{key} is not what the entries add up to")
        told = {}
        for row in lines(self.folder, "conversions"):
            add(told, (row["currency"], row["provider"]), *amounts(row, "got", "gave"))
        for key in told.keys() | self.providers.keys():
            require(told.get(key, (0, 0)) == self.providers.get(key, (0, 0)),
                    f"conversions of currency and provider {key} are not the entries")

    def document(self):
        """The document holds the same lines as the sheets."""
        text = (self.folder / "close.json").read_text(encoding="utf-8")
        for name, sheet in json.loads(text).items():
            if name == "head":
                continue
            rows = [{column: plain(cell) for column, cell in row.items() if cell}
                    for row in lines(self.folder, name)]
            found = [{column: str(cell) for column, cell in row.items() if cell != ""}
                     for row in sheet["lines"]]
            require(rows == found, f"{name}: the document has other lines than the sheet")

    def follows(self, previous):
        """The closing of the day before is the opening."""
        before = {account(row): tuple(amounts(row, "closing", "closing_settled"))
                  for row in lines(previous, "accounts")}
        for row in lines(self.folder, "accounts"):
            opening = tuple(amounts(row, "opening", "opening_settled"))
            require(before.pop(account(row), (0, 0)) == opening,
                    f"{account(row)}: the day before closed with something else")
        require(all(sums == (0, 0) for sums in before.values()), "an account has gone")


def main(arguments):
    """Checks; gives the exit code."""
    if len(arguments) not in (1, 2):
        print(__doc__.strip().splitlines()[0], file=sys.stderr)
        return 2
    folders = [pathlib.Path(argument) for argument in arguments]
    try:
        close = Close(folders[0])
        for check in (close.accounts, close.causes, close.nets, close.orders, close.document):
            check()
        for previous in folders[1:]:
            close.follows(previous)
    except (Wrong, csv.Error) as wrong:
        print(f"does not add up: {wrong}", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError, StopIteration) as error:
        print(f"cannot be read: {error!r}", file=sys.stderr)
        return 2
    print("adds up")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
