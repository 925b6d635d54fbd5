# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces, the processes in them, and their certain removal.

Lab owns everything that a test makes: namespaces (named slc<pid>..., so that
labs run side by side), processes, a directory, a bpffs. close() removes it all;
it also runs at exit and on SIGTERM and SIGHUP. What a killed run has left is
swept by the next one.
"""

import atexit
import contextlib
import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
NETNS_DIR = "/run/netns"
LAB_DIR = "/run/sluice-lab-{pid}"

_libc = ctypes.CDLL(None, use_errno=True)
_counter = itertools.count()
_open_labs = []


def libc_call(name, *args):
    """Calls a libc function that returns -1 and errno on failure."""
    result = getattr(_libc, name)(*args)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Failed(AssertionError):
    """A command that had to succeed did not."""


class Namespace:
    """One network namespace. Owned by a Lab."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.path = f"{NETNS_DIR}/{name}"

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace; sockets and processes that it makes
        stay there. Mounts stay as they are, other than with `ip netns exec`.
        """
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            there = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                libc_call("setns", there, CLONE_NEWNET)
            finally:
                os.close(there)
            try:
                yield self
            finally:
                libc_call("setns", home, CLONE_NEWNET)
        finally:
            os.close(home)

    def popen(self, argv, **options):
        """Starts a program in here; it dies with the lab, or with this process."""
        with self.entered():
            process = subprocess.Popen(
                [str(arg) for arg in argv], preexec_fn=_die_with_parent, **options
            )
        self.lab.processes.append(process)
        return process

    def run(self, *argv, check=True, timeout=60, **options):
        """Runs a program to its end; its output as text. Failed if check and it fails."""
        options = {"capture_output": True, "text": True, **options}
        with self.entered():
            done = subprocess.run(
                [str(arg) for arg in argv], timeout=timeout, preexec_fn=_die_with_parent, **options
            )
        if check and done.returncode:
            raise Failed(
                f"{' '.join(map(str, argv))} in {self.name}: exit {done.returncode}\n"
                f"{done.stdout or ''}{done.stderr or ''}"
            )
        return done

    def ip(self, *commands):
        """Runs `ip` commands, one string each, as one batch."""
        with self.entered():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True,
                capture_output=True, timeout=60,
            )
        if done.returncode:
            raise Failed(f"ip in {self.name}: {done.stderr.strip()}\n" + "\n".join(commands))
        return done.stdout

    def sysctl(self, values):
        """Writes {"net/ipv4/ip_forward": 1, ...}."""
        with self.entered():
            for key, value in values.items():
                with open(f"/proc/sys/{key}", "w", encoding="ascii") as file:
                    file.write(str(value))

    def ifindex(self, device):
        with self.entered():
            return socket.if_nametoindex(device)

    def xdp(self, device):
        """What `ip link` says of XDP on the device: {} or {"mode": ..., "prog": {"id": ...}}."""
        output = self.run("ip", "-json", "-details", "link", "show", "dev", device).stdout
        return json.loads(output)[0].get("xdp", {})


class Lab:
    """Owner of namespaces, processes and files; use as a context manager."""

    def __init__(self):
        sweep()
        self.prefix = f"slc{os.getpid()}x{next(_counter)}-"
        self.root = LAB_DIR.format(pid=os.getpid())
        self.directory = f"{self.root}/{self.prefix.rstrip('-')}"
        self.bpffs = f"{self.directory}/bpf"
        self.namespaces = []
        self.processes = []
        os.makedirs(self.bpffs)
        # nginx's workers and other servers give up root and still read here.
        os.chmod(self.root, 0o755)
        _register(self)
        subprocess.run(["mount", "-t", "bpf", "bpf", self.bpffs], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, name):
        namespace = Namespace(self, self.prefix + name)
        self.namespaces.append(namespace)
        subprocess.run(["ip", "netns", "add", namespace.name], check=True)
        # Addresses are usable at once: no duplicate address detection.
        namespace.sysctl(
            {
                "net/ipv6/conf/all/accept_dad": 0,
                "net/ipv6/conf/default/accept_dad": 0,
                "net/ipv6/conf/default/dad_transmits": 0,
                "net/ipv6/conf/default/accept_ra": 0,
                "net/ipv6/conf/default/router_solicitations": 0,
                "net/ipv4/conf/all/rp_filter": 0,
                "net/ipv4/conf/default/rp_filter": 0,
                "net/ipv4/icmp_ratelimit": 0,
            }
        )
        namespace.ip("link set lo up")
        return namespace

    def path(self, *names):
        """A path in the lab's directory; its parent exists."""
        path = os.path.join(self.directory, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def close(self):
        """Removes everything. May be called again, and from a signal handler; a
        second Ctrl-C does not stop it half way.
        """
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._remove()
        finally:
            signal.signal(signal.SIGINT, before)

    def _remove(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        self.processes.clear()
        for namespace in self.namespaces:
            _quietly("ip", "netns", "del", namespace.name)
        self.namespaces.clear()
        if os.path.ismount(self.bpffs):
            _quietly("umount", "--lazy", self.bpffs)
        shutil.rmtree(self.directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(self.root)
        if self in _open_labs:
            _open_labs.remove(self)


def sweep():
    """Removes what labs of processes that are no more have left."""
    for name in _listdir(NETNS_DIR):
        match = re.fullmatch(r"slc(\d+)x\d+-.*", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            _quietly("ip", "netns", "del", name)
    for name in _listdir("/run"):
        match = re.fullmatch(r"sluice-lab-(\d+)", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            for lab in _listdir(f"/run/{name}"):
                _quietly("umount", "--lazy", f"/run/{name}/{lab}/bpf")
            shutil.rmtree(f"/run/{name}", ignore_errors=True)


def _quietly(*argv):
    subprocess.run(argv, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


def _listdir(path):
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(path)
    return []


def _close_all():
    for lab in list(_open_labs):
        lab.close()


def _on_signal(number, _frame):
    _close_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _register(lab):
    if not _open_labs:
        atexit.register(_close_all)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _on_signal)
    _open_labs.append(lab)
