# SPDX-License-Identifier: BSD-2-Clause
"""Every row of the table, through the real program."""

import pytest

from case import COUNTED, VERDICTS
from cases import CASES, WITHOUT_A_CASE


def difference(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_packet(request, case):
    datapath = request.getfixturevalue(
        "datapath_of_links" if case.changes_links else "datapath")
    with case.setup(datapath):
        before = datapath.counted()
        action, output = datapath.run(case.frame, case.device)
        after = datapath.counted()

    assert action.name == case.action
    expected = {case.verdict: 1}
    if COUNTED[case.verdict]:
        expected[COUNTED[case.verdict]] = 1
    assert difference(before, after) == expected
    if action.name != "DROP":
        assert output.hex(" ") == (case.expected or case.frame).hex(" ")


def test_sentences_are_unique():
    assert len({case.id for case in CASES}) == len(CASES)


def test_every_verdict_has_a_case():
    missing = set(VERDICTS) - {case.verdict for case in CASES} - set(WITHOUT_A_CASE)
    assert not missing
    assert set(WITHOUT_A_CASE) <= set(VERDICTS)


def test_the_daemon_names_the_verdicts_of_the_header(datapath):
    assert set(datapath.verdicts()) == set(VERDICTS)
