"""The validator, compared with the verdicts of the operator's JSON Schema library, which internal/schema writes."""

import gzip
import json
import os
import unittest

from maregister import _schema, _validator

VERDICTS = os.path.join(os.path.dirname(__file__), "testdata", "verdicts.jsonl.gz")


def documents():
    with gzip.open(VERDICTS, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Verdicts(unittest.TestCase):
    def test_no_verdict_disagrees_with_the_library(self):
        judged, decided, wrong = 0, 0, []
        for document in documents():
            judging = _validator.Judging(document["normalised"])
            for value, fits in zip(document["arguments"], document["fits"]):
                verdict = judging.judge(value)
                judged += 1
                decided += verdict is not _validator.OPEN
                if verdict is not _validator.OPEN and fits != (verdict is _validator.FITS):
                    wrong.append((document["normalised"], value, str(verdict)))
        self.assertGreaterEqual(judged, 20_000)
        self.assertGreaterEqual(decided, judged * 0.95)  # what is left open is not refused, so this is what the check is worth
        self.assertEqual([], wrong[:3], f"{len(wrong)} of {judged}")

    def test_declarations_are_normalised_as_the_operator_does(self):
        compared = 0
        for document in documents():
            if '"dependencies"' in json.dumps(document["declared"]):
                continue  # a keyword of older drafts: the operator translates it, and the validator leaves it open
            compared += 1
            normalised = _schema.normalise(document["declared"])
            self.assertEqual(document["normalised"], normalised, document["declared"])
        self.assertGreaterEqual(compared, 1_000)
