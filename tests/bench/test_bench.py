# SPDX-License-Identifier: BSD-2-Clause
"""The benches, small: that they still measure what they say. No figure is judged but
those that are made up here.
"""

import json
from argparse import Namespace

import pytest

from bench import compare, control, keep, program, results, steps, wire

ABOUT = {"machine": "a CPU", "cpus": 2, "memory_gib": 4, "virtual": True, "kernel": "6.1",
         "clang": "14.0.6", "gcc": "12.2.0", "revision": "0123456789ab",
         "date": "2026-01-02 03:04 UTC"}

WHOLE = Namespace(full=False, only="", runs=None, repeat=None)


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Results of tests are not those of the last bench."""
    monkeypatch.setattr(results, "DIRECTORY", str(tmp_path))
    return Namespace(full=False, only="", repeat=20000, runs=2)


def written(part):
    with open(results.path_of(part), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.alone("it measures")
@pytest.mark.parametrize("only", ["dsr-ipv4-over", "ipip-ipv6-limit", "nat-ipv6-moved",
                                  "services-100-to-one", "dsr-ipv4-redirect"])
def test_the_program_is_timed(options, only):
    options.only = only
    program.run(options)
    rows = written("program")["results"]
    assert rows and all(only in row["scenario"] for row in rows)
    for row in rows:
        # The cost is a difference of two times, so noise may make the cost of a short run
        # negative. The two times together cannot be.
        assert len(row["runs_ns"]) == 2 and len(set(row["runs_ns"])) == 2
        assert row["generator_ns"]["min"] > 0
        assert row["generator_ns"]["max"] + row["cost_ns"]["max"] > 0
        assert row["cost_ns"]["min"] == pytest.approx(min(row["runs_ns"]), abs=0.01)
        assert row["cost_ns"]["max"] == pytest.approx(max(row["runs_ns"]), abs=0.01)
        assert 0.9 <= row["share"] <= 1
        assert row["verdict"] == ("DROP_LIMIT" if "over" in only else "FORWARDED")


def test_packets_that_go_another_way_are_no_measurement(options, monkeypatch, capfd):
    row = program.ROWS[0]
    wrong = row.line("1").replace(row.address, "198.51.100.200")
    monkeypatch.setattr(program, "sets", lambda: [program.Set("rows", [row.service()], [wrong])])
    with pytest.raises(results.Failed):
        program.run(options)
    assert "XDP action 2, wanted 3" in capfd.readouterr().err


@pytest.mark.alone("it measures")
def test_frames_come_back_over_the_wire(options):
    options.only = "nat-ipv4-limit"
    wire.run(options)
    rows = written("wire")["results"]
    assert {row["flows"] for row in rows} == {"1", "65536", "1048576", "flood"}
    assert all(row["mpps"]["median"] > 0 and row["ratio"]["median"] > 0 for row in rows)
    assert all(row["loss"] < 0.5 for row in rows if row["cpus"] == 1)


def few_steps(monkeypatch):
    """Small enough for a test; no step is too long there, however busy the machine is."""
    for name, value in (("SERVICES", 20), ("BIG", 50), ("BIG_TABLE", 521), ("PREFIXES", 1000),
                        ("DENIALS", 20), ("QUIET_SECONDS", 0), ("MOST_MS", float("inf"))):
        monkeypatch.setattr(steps, name, value)


@pytest.mark.alone("it measures")
def test_a_change_of_health_is_timed(options, monkeypatch):
    monkeypatch.setattr(control, "SIZES", (10,))
    monkeypatch.setattr(control, "CHECKED", 50)
    monkeypatch.setattr(control, "CHECK_SECONDS", 1)
    monkeypatch.setattr(control, "WATCHED_SECONDS", 4)
    few_steps(monkeypatch)
    options.runs = 1
    control.run(options)
    told = written("control")
    assert told["results"][0]["health_ms"]["median"] > 0
    assert told["results"][0]["load_s"]["median"] > 0
    assert told["checks"]["checks_per_second"] > 20
    assert told["steps"]["backends"] == 20 / 2 * (8 + 1) + 50
    assert [row["seconds"] > 0 for row in told["steps"]["operations"]].count(True) > 20
    assert told["steps"]["longest_ms"] > 0


@pytest.mark.parametrize("steps_ms, long", [((0, 0), []), ((0, 50), []), ((51, 0), ["first"])])
def test_a_long_step_fails(steps_ms, long):
    data = {"longest_ms": max(steps_ms), "operations": [
        {"operation": name, "seconds": 1, "longest_ms": ms}
        for name, ms in zip(("first", "second"), steps_ms)]}
    if not long:
        steps.judge(data)
        return
    with pytest.raises(results.Failed, match="first") as failure:
        steps.judge(data)
    assert "second" not in str(failure.value)


# ---- judgement ---------------------------------------------------------------
def loads(*ratios):
    """Of a program whose base takes 100 ns."""
    return [{"scenario": "dsr", "flows": "1", "base_runs_ns": [100, 101, 99],
             "runs_ns": [100 * ratio, 101 * ratio, 99 * ratio]} for ratio in ratios]


@pytest.mark.parametrize("ratios, slower", [
    ((1.0, 1.0, 1.0), False),
    ((1.10, 1.11, 1.10, 1.09), True),
    ((1.02, 1.021, 1.02), False),
    ((0.5, 0.5, 0.5), False),
    ((1.10, 0.95, 1.20), False),  # that may well be noise
])
def test_what_is_slower(ratios, slower):
    row = compare.judge(loads(*ratios))
    assert row["slower"] is slower
    assert row["change"] == pytest.approx(sorted(ratios)[len(ratios) // 2] - 1, abs=0.006)


# ---- keeping -----------------------------------------------------------------
def test_results_are_kept_without_the_name_of_anybody(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "DIRECTORY", str(tmp_path / "build"))
    monkeypatch.setattr(keep, "DIRECTORY", str(tmp_path / "docs"))
    monkeypatch.setattr(results, "about", lambda: ABOUT)
    results.write("wire", {"results": [
        {"scenario": "dsr-ipv4", "flows": "1", "cpus": 1, "offered_mpps": 3.0, "loss": 0.0,
         "bare_loss": 0.0, **{key: {"median": 2.5, "min": 2.0, "max": 3.0}
                              for key in ("mpps", "bare_mpps", "ratio")}}]}, WHOLE)
    keep.run(Namespace())
    (page,) = (tmp_path / "docs").glob("*.md")
    assert page.name == "2026-01-02-0123456789ab.md"
    text = page.read_text()
    assert "| dsr-ipv4 | 1 | 1 | 2.50 |" in text and "a CPU" in text
    assert json.loads(page.with_suffix(".json").read_text())["wire"]["about"] == ABOUT


def test_results_of_a_tree_that_nobody_has_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "DIRECTORY", str(tmp_path / "build"))
    monkeypatch.setattr(keep, "DIRECTORY", str(tmp_path / "docs"))
    monkeypatch.setattr(results, "about", lambda: {**ABOUT, "revision": "0123456789ab, changed"})
    results.write("wire", {"results": []}, WHOLE)
    with pytest.raises(results.Failed, match="changed"):
        keep.run(Namespace())


def test_results_of_a_part_of_the_scenarios_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "DIRECTORY", str(tmp_path / "build"))
    monkeypatch.setattr(keep, "DIRECTORY", str(tmp_path / "docs"))
    monkeypatch.setattr(results, "about", lambda: ABOUT)
    results.write("wire", {"results": []}, Namespace(full=False, only="nat", runs=5, repeat=None))
    with pytest.raises(results.Failed, match="--only"):
        keep.run(Namespace())
