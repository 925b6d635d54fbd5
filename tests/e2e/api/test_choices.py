# SPDX-License-Identifier: BSD-2-Clause
"""The choices of a service as the API and sluicectl show them: scheduler, affinity, panic,
backups, slow start.
"""

from lab import wait
from scenario import all_serving, configuration, web
from scenario_changes import running, scene  # fixtures


def chosen(scene, **settings):
    made = scene.daemon
    service = web(scene.top, **settings)
    made.write(configuration(scene.top, service))
    made.ctl("reload")
    return made.service("web")


def test_settings_are_shown(scene):
    service = chosen(scene, scheduler="least-connections", on_all_down="reject",
                     min_healthy="50%", slow_start="30s",
                     affinity={"timeout": "10m", "prefix_v4": 24})
    assert (service["scheduler"], service["on_all_down"], service["min_healthy"]) == (
        "least-connections", "reject", "50%")
    assert service["slow_start_ms"] == 30_000
    assert service["affinity"] == {"timeout_ms": 600_000, "prefix_v4": 24, "prefix_v6": 128,
                                   "group": None}
    shown = scene.daemon.ctl("service", "show", "web").stdout
    for words in ("least-connections", "600 s", "24", "30 s", "reject", "50%"):
        assert words in shown


def test_panic_is_a_problem(scene):
    chosen(scene, min_healthy=2)
    scene.server("web-1").sick()
    try:
        wait.until(lambda: scene.daemon.service("web")["panic"], "panic")
        service = scene.daemon.service("web")
        assert service["state"] == "degraded"
        problems = scene.daemon.status()["problems"]
        assert any("service web" in text and "panic" in text for text in problems), problems
        assert any("web/web-1 " in text and "503" in text for text in problems), problems
        backend = scene.daemon.backend("web", "web-1")
        assert (backend["state"], backend["serving"]) == ("down", True)
    finally:
        scene.server("web-1").sick(False)
    all_serving(scene)
    wait.until(lambda: not scene.daemon.service("web")["panic"], "no panic")


def test_a_backup_that_waits_is_no_problem(scene):
    service = web(scene.top)
    for backend in service["backends"][2:]:
        backend["backup"] = True
    made = scene.daemon
    made.write(configuration(scene.top, service))
    made.ctl("reload")
    made.wait_serving("web", 2)
    assert made.service("web")["state"] == "ok" and made.status()["problems"] == []
    backend = made.backend("web", "web-2")
    assert (backend["role"], backend["state"], backend["serving"]) == ("backup", "up", False)
    made.ctl("backend", "drain", "web", "web-1")
    assert made.backend("web", "web-2")["serving"] is True


def test_a_slow_start_is_shown(scene):
    chosen(scene, slow_start="1h")
    scene.server("web-1").sick()
    made = scene.daemon
    try:
        made.wait_serving("web", 2)
    finally:
        scene.server("web-1").sick(False)
    all_serving(scene)
    assert made.backend("web", "web-1")["slow_start"] == 10
    assert made.backend("web", "web-2")["slow_start"] is None
    assert "10 %" in made.ctl("backend", "show", "web/web-1").stdout
