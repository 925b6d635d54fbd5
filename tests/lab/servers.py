# SPDX-License-Identifier: BSD-2-Clause
"""Real servers for the backends. Each is started in its namespace, waited for
until it listens, and can be killed and started again.
"""

import contextlib
import os
import socket

from . import wait

NGINX_CONF = """\
daemon off;
master_process off;
worker_processes 1;
error_log {directory}/error.log;
pid {directory}/pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 100000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        {listen}
        root {directory}/files;
        location / {{ add_header X-Backend {name} always; return 200 "{name}\\n"; }}
        location = /health {{
            if (-f {directory}/sick) {{ return 503 "sick\\n"; }}
            return 200 "ok\\n";
        }}
        location /files/ {{ alias {directory}/files/; }}
    }}
}}
"""


class Server:
    """A program in a host's namespace. Subclasses give argv and the TCP port."""

    tcp_port = None

    def __init__(self, host, kind):
        self.host = host
        self.directory = host.ns.lab.path(f"{kind}-{host.name}", "")
        self.process = None

    def argv(self):
        raise NotImplementedError

    def start(self):
        log = os.path.join(self.directory, "output")
        with open(log, "ab") as output:
            self.process = self.host.ns.popen(self.argv(), stdout=output, stderr=output)
        wait.until(
            self._ready,
            lambda: f"{self.argv()[0]} ready in {self.host.name}: {open(log).read()}",
        )
        return self

    def kill(self):
        """As a crash: SIGKILL; the kernel resets its connections."""
        self.process.kill()
        self.process.wait()

    def _ready(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.directory, "output"), encoding="utf-8") as file:
                raise AssertionError(f"{self.argv()[0]} ended: {file.read()}")
        return self.tcp_port is None or listens(self.host.ns, self.tcp_port)


class Nginx(Server):
    """Answers its host's name; /health answers 200, or 503 while sick(); /files/."""

    tcp_port = 80

    def __init__(self, host, ports=(80, 8080)):
        super().__init__(host, "nginx")
        self.tcp_port = ports[0]
        os.makedirs(os.path.join(self.directory, "files"), exist_ok=True)
        listen = "\n        ".join(
            f"listen {port} reuseport backlog=4096;"
            f" listen [::]:{port} ipv6only=on reuseport backlog=4096;" for port in ports
        )
        with open(os.path.join(self.directory, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(
                NGINX_CONF.format(
                    directory=self.directory.rstrip("/"), listen=listen, name=host.name
                )
            )

    def argv(self):
        return ["nginx", "-p", self.directory, "-c", os.path.join(self.directory, "nginx.conf")]

    def put(self, name, content):
        with open(os.path.join(self.directory, "files", name), "wb") as file:
            file.write(content)

    def sick(self, yes=True):
        path = os.path.join(self.directory, "sick")
        if yes:
            with open(path, "w", encoding="ascii"):
                pass
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


class Dnsmasq(Server):
    """Answers TXT questions for backend.lab with its host's name, A and AAAA for a.lab."""

    tcp_port = 53

    def __init__(self, host):
        super().__init__(host, "dnsmasq")

    def argv(self):
        return [
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", "--user=root", "--pid-file=", "--log-facility=-",
            f"--txt-record=backend.lab,{self.host.name}",
            "--host-record=a.lab,192.0.2.77,2001:db8::77",
        ]


class Iperf3(Server):
    """address: what it binds to, and thus answers UDP from: dsr needs the service's."""

    tcp_port = 5201

    def __init__(self, host, address=None):
        super().__init__(host, "iperf3")
        self.address = address

    def argv(self):
        return ["iperf3", "--server", *(["--bind", self.address] if self.address else [])]


def listens(ns, port):
    """Whether anything listens on the TCP port, told by the kernel's own table:
    a trial connection would be one that the server counts.
    """
    with ns.entered():
        for table in ("tcp", "tcp6"):
            with open(f"/proc/thread-self/net/{table}", encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    local, state = line.split()[1], line.split()[3]
                    if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                        return True
    return False


def udp_socket(ns, family=4, timeout=2.0):
    """A UDP socket that lives in ns."""
    with ns.entered():
        sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    return sock
