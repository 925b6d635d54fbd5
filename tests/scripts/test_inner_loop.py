# SPDX-License-Identifier: BSD-2-Clause
"""What one works with: what make makes again, the hook, the lab."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*argv, cwd=ROOT, **options):
    """Without what an outer make or git has left in the environment."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("GIT_", "MAKE", "MFLAGS"))}
    return subprocess.run([str(arg) for arg in argv], cwd=cwd, env=env, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **options)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A repository of what is in this tree, with what is built."""
    tree = tmp_path_factory.mktemp("tree") / "sluice"
    names = run("git", "ls-files", "-co", "--exclude-standard", check=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    shutil.copytree(ROOT / "build", tree / "build", symlinks=True, ignore=lambda where, _: (
        ("debug", "fuzz") if where == str(ROOT / "build") else ()))
    for words in (("init", "-q"), ("config", "user.name", "a test"),
                  ("config", "user.email", "test@localhost"), ("add", "-A"),
                  ("commit", "-q", "-m", "all"), ("config", "core.hooksPath", "scripts/hooks")):
        run("git", *words, cwd=tree, check=True)
    (tree / "bpf/packet.h").touch()  # its object names the directory, which is another
    run("make", "all", cwd=tree, check=True)
    return tree


# ---- make ---------------------------------------------------------------------
@pytest.mark.parametrize("touched, made", [
    ((), set()),
    (("bpf/packet.h",), {"CLANG build/sluice.bpf.o", "SKEL build/sluice.skel"}),
    (("user/lib/balance/maglev.h",), {
        "CC build/obj/user/lib/balance/maglev.o", "CC build/obj/user/lib/balance/plan.o",
        "AR build/libsluice.a", "LINK build/sluiced", "LINK build/sluicectl",
        "LINK build/sluice-responder", "GEN build/sluicectl.bash-completion"}),
], ids=["nothing", "a header of the program", "a header of the library"])
def test_make_makes_what_depends_on_it(tree, touched, made):
    for name in touched:
        (tree / name).touch()
    done = run("make", "all", cwd=tree, check=True)
    assert {" ".join(line.split()) for line in done.stdout.splitlines()} == made


def test_no_member_of_the_archive_outlives_its_source(tree):
    source = tree / "user/lib/passing.c"
    source.write_text("int passing(void);\nint passing(void)\n{\n\treturn 1;\n}\n")
    run("make", "build/libsluice.a", cwd=tree, check=True)
    assert "passing.o" in run("ar", "t", tree / "build/libsluice.a").stdout
    source.unlink()
    run("make", "build/libsluice.a", cwd=tree, check=True)
    assert "passing.o" not in run("ar", "t", tree / "build/libsluice.a").stdout


def test_one_unit_test_by_its_name(tree):
    done = run("make", "test-unit", "T=slot", cwd=tree)
    assert done.returncode == 0 and (done.stdout + done.stderr).count("[  PASSED  ]") == 1
    done = run("make", "test-unit", "T=slto", cwd=tree)
    assert done.returncode == 2 and "no unit test is called 'slto'; there are: " in done.stderr


@pytest.mark.parametrize("words, said", [
    (("config-compare", "BASE=HEAD", "N=abc"), "N is a whole number from 1, not 'abc'"),
    (("config-compare", "BASE=HEAD", "N=0"), "N is a whole number from 1, not '0'"),
    (("debug-test", "TESTS=nosuch"), "TESTS=nosuch: there is no such file or directory"),
    (("debug-test", "TESTS=tests/model tests/no.py::test_x"), "TESTS=tests/no.py::test_x: there is"),
], ids=" ".join)
def test_a_wrong_argument_of_make_is_refused_in_words(tree, words, said):
    done = run("make", *words, cwd=tree)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert "CC" not in done.stdout, "nothing is built before"


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local", "/opt/sluice"])
def test_the_unit_names_what_is_installed(tree, tmp_path, prefix):
    run("make", "install", f"PREFIX={prefix}", f"DESTDIR={tmp_path}", cwd=tree, check=True)
    unit = (tmp_path / prefix[1:] / "lib/systemd/system/sluiced.service").read_text()
    program, = re.findall("^ExecStart=(\\S+) ", unit, re.MULTILINE)
    assert program == f"{prefix}/sbin/sluiced" and (tmp_path / program[1:]).exists()
    assert "@" not in unit.replace("@system-service", "")


def test_a_fresh_install_makes_a_seed_and_keeps_one_that_is_there(tree, tmp_path):
    seeds = set()
    for name in ("a", "b"):
        destination = tmp_path / name
        run("make", "install", "PREFIX=/usr", f"DESTDIR={destination}", cwd=tree, check=True)
        seed = destination / "etc/sluice/hash-seed"
        assert seed.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch("[0-9a-f]{64}\n", seed.read_text())
        seeds.add(seed.read_text())
        example = destination / "usr/share/doc/sluice/examples/sluice.yaml"
        assert "\nhash_seed: {file: /etc/sluice/hash-seed}\n" in example.read_text()
        config = tmp_path / f"{name}.yaml"
        config.write_text(example.read_text().replace("/etc/sluice/hash-seed", str(seed)))
        run(destination / "usr/sbin/sluiced", "--check", "-c", config, check=True)
    assert len(seeds) == 2, "each is random"
    run("make", "install", "PREFIX=/usr", f"DESTDIR={destination}", cwd=tree, check=True)
    assert seed.read_text() in seeds and os.listdir(seed.parent) == ["hash-seed"]


def test_a_command_for_each_source(tree):
    run("make", "compile_commands.json", cwd=tree, check=True)
    named = set(re.findall(r'"file": "(.*)"', (tree / "compile_commands.json").read_text()))
    sources = run("git", "ls-files", "*.c", cwd=tree, check=True).stdout.split()
    assert set(sources) - named == set()


def test_other_flags_are_another_build(tree):
    run("make", "all", cwd=tree, check=True)
    done = run("make", "CFLAGS=-O1 -g", "build/obj/user/lib/health.o", cwd=tree, check=True)
    assert done.stdout.split() == ["CC", "build/obj/user/lib/health.o"]
    done = run("make", "build/obj/user/lib/health.o", cwd=tree, check=True)
    assert done.stdout.split() == ["CC", "build/obj/user/lib/health.o"]


# ---- the hook -----------------------------------------------------------------
@pytest.mark.parametrize("line, complaint", [
    ("int   x;\n", "user/lib/health.c: not as 'make format' leaves it"),
    ('#include "daemon/log.h"\n', "daemon/log.h: user/lib is pure"),
], ids=["format", "layers"])
def test_the_hook_looks_at_what_is_staged(tree, line, complaint):
    source = tree / "user/lib/health.c"
    good = source.read_text()
    source.write_text(good + line)
    run("git", "add", "-A", cwd=tree, check=True)
    source.write_text(good)
    done = run("git", "commit", "-q", "-m", "bad", cwd=tree)
    assert done.returncode != 0 and complaint in done.stderr
    run("git", "add", "-A", cwd=tree, check=True)
    source.with_name("unrelated.txt").write_text("not C\n")
    run("git", "add", "-A", cwd=tree, check=True)
    done = run("git", "commit", "-q", "-m", "good", cwd=tree)
    assert done.returncode == 0, done.stderr
    run("git", "rm", "-qf", "user/lib/unrelated.txt", cwd=tree, check=True)
    run("git", "commit", "-q", "-m", "gone", cwd=tree, check=True)


# ---- the lab ------------------------------------------------------------------
def test_the_lab_runs_a_command_and_leaves_nothing():
    done = run("scripts/lab.sh", "sh", "-c",
               "client curl -s http://198.51.100.10/; sluicectl status >&2; echo $LAB_LOG; exit 7")
    server, log = done.stdout.split()
    assert done.returncode == 7 and server in ("web-1", "web-2", "web-3"), done.stderr
    assert "9/9" not in done.stderr and "6/6" in done.stderr
    assert not pathlib.Path(log).exists()
    assert f"slc{re.search(r'lab-([0-9]+)', log)[1]}x" not in " ".join(os.listdir("/run/netns"))


def test_the_lab_tells_of_a_command_that_is_not_there():
    done = run("scripts/lab.sh", "no-such-command")
    assert done.returncode == 127 and "no-such-command: No such file" in done.stderr
