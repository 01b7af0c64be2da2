#!/usr/bin/env python3
"""Holds the running service against docs/openapi.yaml: every operation, every error, every role.

usage: contract_test.py PATH-TO-OA-BACKUP [NAME...]     with names only those cases, and no look at what was left out
"""

import os
import pathlib
import sys
import time
import unittest

import world
from hostile import Hostile
from isolation import Rights
from operators import Operators
from refusals import Bodies, Gate
from states import Conflicts, Keys, Pages, SignIns
from streams import Events, Heads, Streams
from walk import Walk

# With what only a broken machine, many seconds or a race shows; tests of the modules show it.
EXCUSED = {
    ("*", "internal"), ("*", "database/unavailable"),
    ("*", "request/timeout"),      # takes 10 s and more
    ("*", "pagination/cursor-expired"),  # takes a day, and only the service writes cursors
    ("*", "service/overloaded"),   # takes 256 requests that wait
    ("*", "request/rate-limited"), # the same gate for all; shown by uploadOptions
}


class Timed(unittest.TextTestResult):
    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        took = time.monotonic() - self.began
        if took > 1:
            self.stream.writeln(f"    {took:.1f} s")
        super().stopTest(test)


class Coverage(unittest.TestCase):
    def test_everything_promised_was_seen(self):
        missing = world.contract.missing(EXCUSED)
        self.assertEqual(missing, [], "promised by docs/openapi.yaml and never seen")


CASES = [Walk, Gate, Events, Streams, Heads, Pages, Keys, Conflicts, Rights, Bodies, SignIns, Operators, Hostile, Coverage]
CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def main():
    binary, names = os.path.realpath(sys.argv[1]), sys.argv[2:]
    world.start(binary, CONTRACT)
    try:
        loader = unittest.TestLoader()
        suite = unittest.TestSuite(
            loader.loadTestsFromTestCase(case) for case in CASES if not names or case.__name__ in names)
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Timed).run(suite)
    finally:
        status = world.service.stop()
    return 0 if result.wasSuccessful() and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
