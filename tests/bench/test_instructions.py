# SPDX-License-Identifier: BSD-2-Clause
"""Counting instructions: what is judged, and what the guest is told. With SLUICE_FULL=1
a guest counts, too, where `make bench-instructions` or test-guest has fetched a kernel.
"""

import os
import shutil
from argparse import Namespace

import pytest

from bench import instructions, program, results
from bench.bed import NEAR_MAC, Bed
from lab.daemon import ROOT, SLUICED

KERNEL = "6.12"
UNPACKED = os.path.join(ROOT, "build", "guest", KERNEL, "vmlinuz")


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Results of tests are not those of the last bench."""
    monkeypatch.setattr(results, "DIRECTORY", str(tmp_path))
    return Namespace(full=False, only="", repeat=None, runs=None, kernel=KERNEL)


# ---- judgement ---------------------------------------------------------------
def judged(*counts):
    """Scenarios whose base takes 500 instructions."""
    return {"base": "0123456789ab", "results": [
        instructions.judge({"scenario": f"dsr-{number}", "flows": "flood", "instructions": count},
                           {"instructions": 500}) for number, count in enumerate(counts)]}


def test_what_is_equal_cheaper_or_hardly_dearer_passes(options, capsys):
    instructions.conclude(judged(500, 400, 504.9, 499.99), options)
    told = capsys.readouterr().out
    assert "-20.0%" in told and "-0.0%" not in told and "DEARER" not in told
    assert told.endswith("none is more than 1% dearer\n")


def test_what_is_dearer_fails_by_name(options, capsys):
    with pytest.raises(results.Failed) as failure:
        instructions.conclude(judged(500, 505.1, 500), options)
    assert str(failure.value) == "more than 1% dearer than 0123456789ab: dsr-1 (flood)"
    assert capsys.readouterr().out.count("DEARER") == 1
    assert os.path.exists(results.path_of("instructions"))


# ---- what the guest is told --------------------------------------------------
def test_the_bed_is_written_down():
    script = instructions.Script()
    Bed(script)
    assert script.lines[:2] == ["namespace lb", "namespace far"]
    start = script.lines.index("ip -n lb -batch - <<END")
    assert script.lines[start + 1] == (
        f"link add lb0 address {NEAR_MAC} type veth peer name far0 netns far")
    assert script.lines.count("END") == sum("<<END" in line for line in script.lines)


def test_flows_are_few():
    assert instructions.line_of("x tcp to 192.0.2.1 80 FORWARDED TX 1 1 65536 1048576 flood") == (
        "x tcp to 192.0.2.1 80 FORWARDED TX 1 16384 flood")


def test_a_name_that_is_none_is_refused(options):
    options.only = "no such"
    with pytest.raises(results.Failed, match="no such"):
        instructions.sets(options, instructions.ROWS)


# ---- the guest ---------------------------------------------------------------
@pytest.mark.skipif(not os.environ.get("SLUICE_FULL"), reason="20 seconds: SLUICE_FULL=1")
@pytest.mark.skipif(not os.path.exists(UNPACKED), reason="no kernel: make bench-instructions")
@pytest.mark.skipif(not shutil.which(instructions.QEMU), reason="qemu is not installed")
def test_a_guest_counts(lab, options):
    row = next(row for row in instructions.ROWS if row.name == "dsr-ipv4-redirect")
    one_set = program.Set("rows", [row.service()], [instructions.line_of(row.line())])
    [(kernel, [counted])] = instructions.measure_all(lab, [SLUICED], [one_set], options)
    assert kernel.startswith(KERNEL)
    assert counted["scenario"] == row.name and counted["flows"] == "16384"
    assert 100 < counted["instructions"] < 5000
