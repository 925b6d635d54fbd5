# SPDX-License-Identifier: BSD-2-Clause
"""sluiced and sluicectl as a user runs them, and HTTP to the daemon's socket."""

import functools
import http.client
import json
import os
import signal
import socket
import subprocess

from . import wait

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(ROOT, "build"))
SLUICED = os.path.join(BUILD, "sluiced")
SLUICECTL = os.path.join(BUILD, "sluicectl")
BPF_OBJECT = os.path.join(BUILD, "sluice.bpf.o")


def bpftool(*args):
    done = subprocess.run(
        ["bpftool", "--json", *map(str, args)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout) if done.stdout.strip() else None


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@functools.cache
def has_option(program, option):
    """Whether a sluiced, which may be one of another revision, knows the option."""
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return option in done.stdout


class Daemon:
    """One sluiced in a namespace. config: a dict (JSON is YAML too), or text."""

    def __init__(self, ns, config=None, name="sluice", options=(), program=SLUICED):
        self.ns = ns
        self.program = program
        self.options = list(options)
        self.config_path = ns.lab.path(name, "sluice.yaml")
        self.socket_path = ns.lab.path(name, "control.sock")
        self.log_path = ns.lab.path(name, "log")
        self.pin_dir = f"{ns.lab.bpffs}/{name}"
        self.state_path = ns.lab.path(name, "state")
        self.process = None
        if config is not None:
            self.write(config)

    def write(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=1)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def argv(self):
        state = ["--state", self.state_path] if has_option(self.program, "--state") else []
        return [
            self.program, "-c", self.config_path, "--socket", self.socket_path,
            "--pin-dir", self.pin_dir, *state, *self.options,
        ]

    def spawn(self):
        """Starts it and does not wait."""
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(self.argv(), stderr=log, stdout=log)
        return self

    def start(self):
        """Starts it and waits until its socket answers."""
        self.spawn()
        wait.until(self._answers, lambda: f"{self.program} answers:\n{self.log}", timeout=15)
        return self

    def run(self):
        """Runs it to its end (it is expected to refuse); the completed process."""
        return self.ns.run(*self.argv(), check=False, timeout=20)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sluiced ended with {self.process.returncode}:\n{self.log}")
        try:
            return self.get("/v1/status")
        except OSError:
            return None

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- ends ----
    def stop(self, number=signal.SIGTERM):
        """Stops it; its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"sluiced ignores signal {number}:\n{self.log}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    # ---- control ----
    def request(self, method, path, body=None):
        """(HTTP status, JSON)."""
        connection = UnixConnection(self.socket_path)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data else None
        finally:
            connection.close()

    def get(self, path):
        status, data = self.request("GET", path)
        assert status == 200, f"GET {path}: {status} {data}"
        return data

    def status(self):
        return self.get("/v1/status")

    def verdicts(self):
        """{"FORWARDED": packets, ...}: every verdict, as include/sluice/verdict.h names it."""
        return {row["name"].upper(): row["packets"] for row in self.get("/v1/stats")["verdicts"]}

    def service(self, name):
        return self.get(f"/v1/services/{name}")

    def service_stats(self, name):
        return self.service(name)["stats"]

    def backend(self, service, name):
        return self.get(f"/v1/backends/{service}/{name}")

    def backend_stats(self, service, name):
        return self.backend(service, name)["stats"]

    def serving(self, service):
        """How many backends of the service get new connections."""
        return self.service(service)["backends_serving"]

    def wait_serving(self, service, count, timeout=10):
        wait.until(
            lambda: self.serving(service) == count,
            lambda: f"{count} backends serve {service}: {self.status()['problems']}\n{self.log}",
            timeout,
        )

    # ---- changes at run time ----
    def change(self, method, path, **members):
        status, data = self.request(method, path, json.dumps(members) if members else None)
        assert status == 200, f"{method} {path}: {status} {data}"
        return data

    def drain(self, service, name, **members):
        return self.change("POST", f"/v1/backends/{service}/{name}/drain", **members)

    def enable(self, service, name):
        return self.change("POST", f"/v1/backends/{service}/{name}/enable")

    def disable(self, service, name):
        return self.change("POST", f"/v1/backends/{service}/{name}/disable")

    def weight(self, service, name, weight):
        return self.change("POST", f"/v1/backends/{service}/{name}/weight", weight=weight)

    def add(self, service, **members):
        return self.change("POST", f"/v1/backends/{service}", **members)

    def remove(self, service, name):
        return self.change("DELETE", f"/v1/backends/{service}/{name}")

    def save(self):
        return self.change("POST", "/v1/config/save")

    def reload(self):
        return self.change("POST", "/v1/reload")

    def map_id(self, name):
        """The id of a map of the attached program."""
        program = self.status()["interfaces"][0]["program_id"]
        for number in bpftool("prog", "show", "id", program)["map_ids"]:
            if bpftool("map", "show", "id", number)["name"] == name:
                return number
        raise AssertionError(f"program {program} has no map {name}")

    def percpu_verdicts(self, name):
        """A verdict's packets on each CPU, straight from the map."""
        index = list(self.verdicts()).index(name) + 1  # 0 is SL_NEXT
        rows = bpftool("map", "dump", "id", self.map_id("sl_verdicts"))
        return [value["value"]["packets"] for value in rows[index]["formatted"]["values"]]

    def ctl(self, *args, check=True):
        """sluicectl ARGS; the completed process."""
        return self.ns.run(SLUICECTL, "--socket", self.socket_path, *args, check=check)

    def ctl_json(self, *args):
        return json.loads(self.ctl(*args, "--json").stdout)
