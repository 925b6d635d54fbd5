# SPDX-License-Identifier: BSD-2-Clause
"""The lab: the network of the demo, with sluiced at work, as a shell to stay in.

Nothing of the machine's own network is touched, and everything is removed at the
end, however it ends. lab.sh says how it is used.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from lab import daemon, topology  # noqa: E402
from lab.netns import PR_SET_PDEATHSIG, Lab, libc_call  # noqa: E402
from lab.servers import Nginx  # noqa: E402
from lab.topology import SERVICE4, SERVICE6  # noqa: E402

NOT_FOUND = 127

CONFIG = """\
# The lab's configuration: change it, then run `sluicectl reload`.
interfaces: [front, back]
services:
  - name: web
    address: [{service4}, '{service6}']
    port: 80
    check: {{type: http, path: /health, port: 8080, interval: 500ms, timeout: 250ms}}
    backends:
{web}
  - name: api
    address: {service4}
    port: 8000
    check: {{type: http, path: /health, port: 8080, interval: 500ms, timeout: 250ms}}
    limit: {{rate: 1/s, burst: 5, count: connections, action: respond}}
    backends:
{api}
"""

TEXT = f"""
  client, client-2 -- front [ balancer: sluiced ] back -- web-1, web-2, web-3

Each is a network namespace: `NAME COMMAND` runs a command there, `NAME` enters it.

  client curl http://{SERVICE4}/           which server answers? (weights 1, 1, 2)
  client curl -g 'http://[{SERVICE6}]/'   the same over IPv6
  client wrk -d 5 http://{SERVICE4}/       some load
  client curl -i http://{SERVICE4}:8000/   a limit: after 5 or 6 in a row, 429
  sick web-3; well web-3                     its health check fails, and passes again
  sluicectl status; sluicectl backend list   how sluiced sees it
  sluicectl backend drain web web-1          take a server out
  nano $LAB_CONFIG; sluicectl reload         another configuration
  web-1 tcpdump -ni eth0 tcp port 80         the packets that arrive at a server
  tail $LAB_LOG                              the log of sluiced

`lab` shows this again; `exit` ends the lab and removes it.
"""


def backends(top, port):
    return "\n".join(
        f"      - {{name: {host.name}, address: {host.ipv4}, port: {port}, weight: {weight}}}"
        for host, weight in zip(top.backends, (1, 1, 2))
    ) + ("" if port != 80 else "\n" + "\n".join(
        f"      - {{name: {host.name}-v6, address: '{host.ipv6}', port: {port}, weight: {weight}}}"
        for host, weight in zip(top.backends, (1, 1, 2))))


def configuration(top):
    return CONFIG.format(service4=SERVICE4, service6=SERVICE6,
                         web=backends(top, 80), api=backends(top, 8080))


# ---- the words that the shell knows ------------------------------------------
def write_script(lab, name, *lines):
    path = lab.path("bin", name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(("#!/bin/sh", *lines, "")))
    os.chmod(path, 0o755)


def write_words(lab, top, servers, sluiced):
    """Commands, in a directory for PATH."""
    places = {host.name: host.ns for host in top.backends}
    places.update({"client": top.clients[0].ns, "client-2": top.clients[1].ns,
                   "balancer": top.balancer})
    for name, ns in places.items():
        write_script(lab, name,
                     '[ $# -gt 0 ] || set -- bash',
                     f'LAB_PLACE={name} exec nsenter --net={ns.path} -- "$@"')
    write_script(lab, "sluicectl",
                 f'exec {shlex.quote(daemon.SLUICECTL)} --socket {sluiced.socket_path} "$@"')
    for word, command in (("sick", "touch"), ("well", "rm -f")):
        write_script(lab, word, 'case ${1:-} in', *(
            f"{server.host.name}) {command} {server.directory}/sick ;;" for server in servers
        ), f'*) echo "usage: {word} {"|".join(server.host.name for server in servers)}" >&2; exit 2 ;;',
            "esac")
    write_script(lab, "lab", "cat <<'EOF'", TEXT, "EOF")


def environment(lab, sluiced):
    return {**os.environ, "PATH": f"{lab.path('bin', '')}:{os.environ.get('PATH', os.defpath)}",
            "LAB_CONFIG": sluiced.config_path, "LAB_LOG": sluiced.log_path}


# ---- the shell ---------------------------------------------------------------
def shell_command(lab):
    """bash, which tells by its prompt where one is."""
    setup = ("[ ! -r ~/.bashrc ] || . ~/.bashrc", f"export PATH={lab.path('bin', '')}:$PATH",
             "PS1='${LAB_PLACE:-lab}:\\w# '")
    for name, lines in (("bashrc", setup), ("bashrc-first", (*setup, "lab"))):
        with open(lab.path(name), "w", encoding="utf-8") as file:
            file.write("\n".join((*lines, "")))
    # In the place of bash on PATH, so that it is the same after `client bash`.
    write_script(lab, "bash", f'exec /bin/bash --rcfile {lab.path("bashrc")} "$@"')
    return ["/bin/bash", "--rcfile", lab.path("bashrc-first")]


def end_with_the_lab():
    libc_call("prctl", PR_SET_PDEATHSIG, signal.SIGHUP)


def run(argv, env):
    """Runs it in the terminal; its exit status. Ctrl-C is the command's alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.Popen(argv, env=env, preexec_fn=end_with_the_lab).wait()
    except OSError as error:
        print(f"lab: {argv[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def end_processes(lab):
    """What was started in the namespaces and still runs would keep them."""
    for ns in lab.namespaces:
        pids = subprocess.run(["ip", "netns", "pids", ns.name], capture_output=True, text=True)
        for pid in pids.stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass


def stay(argv):
    with Lab() as lab:
        top = topology.routed(lab, backends=3, clients=2)
        servers = [Nginx(host).start() for host in top.backends]
        sluiced = daemon.Daemon(top.balancer, configuration(top)).start()
        sluiced.wait_serving("web", 2 * len(servers))
        sluiced.wait_serving("api", len(servers))
        write_words(lab, top, servers, sluiced)
        status = run(argv or shell_command(lab), environment(lab, sluiced))
        end_processes(lab)
    if not argv:
        print("lab: removed")
    return status


def main():
    needed = [path for path in (daemon.SLUICED, daemon.SLUICECTL) if not os.path.exists(path)]
    if needed:
        sys.exit(f"lab: {needed[0]} is not built: run make first")
    missing = [name for name in ("nginx", "ethtool", "nsenter") if not shutil.which(name)]
    if missing:
        sys.exit(f"lab: {', '.join(missing)} not installed: run make deps first")
    try:
        sys.exit(stay(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nlab: interrupted; everything is removed again")
    except (AssertionError, subprocess.SubprocessError) as failure:
        sys.exit(f"lab: cannot be set up: {failure}")


if __name__ == "__main__":
    main()
