"""Envoy with a listener for each arm, and the directory: one worker on one core, and everything else on the other."""
import http.client
import json
import os
import re
import signal
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import PROGRAMS, ROOT, Failed
from .arms import DIRECTORY_TOKEN

ENVOY = ROOT / ".setup" / "bin" / "envoy"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def cores():
    """Envoy's core and everybody else's."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Failed("this needs two cores: one for Envoy, one for the load")
    return allowed[0], allowed[1]


def on(core, ahead):
    """What a command starts with to run on that core; `ahead` of whatever else wants it, which takes root."""
    return [*(["taskset", "-c", str(core)] if core is not None else []), *(["chrt", "--rr", "1"] if ahead else [])]


class Edge:
    """Everything that runs beside the load. To be used in a `with`: nothing is left running."""

    workers = 1

    def __init__(self, arms, ahead=False, log_levels="wasm:info", live=False):
        """With `live`, Envoy gets its listeners while it runs (`deliver`), and has every core, as in life."""
        self.arms, self.ahead, self.log_levels, self.live = list(arms), ahead, log_levels, live
        self.processes = []
        self.envoy = None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="firstsight-bench-"))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        envoys, others = cores()
        directory = self.spawn(self.directory(), "directory", others, FIRSTSIGHT_TOKEN=DIRECTORY_TOKEN)
        listening = lambda: re.search(r"listening on http://127.0.0.1:(\d+)", self.log("directory"))  # noqa: E731
        self.directory_port = int(self.until(listening, directory, "directory")[1])
        bootstrap = self.folder / "envoy.json"
        bootstrap.write_text(json.dumps(self.bootstrap(self.directory_port)))
        if self.live:
            self.deliver()
        self.envoy = self.spawn(
            [ENVOY, "-c", bootstrap, "--concurrency", str(self.workers), "--disable-hot-restart"]
            + ["--admin-address-path", self.folder / "admin"]
            + ["--log-level", "warning", "--component-log-level", self.log_levels],
            "envoy",
            None if self.live or self.workers > 1 else envoys,
        )
        self.until(lambda: self.admin("/ready").startswith("LIVE"), self.envoy, "envoy")
        listeners = json.loads(self.admin("/listeners?format=json")).get("listener_statuses", [])
        self.ports = {each["name"]: each["local_address"]["socket_address"]["port_value"] for each in listeners}

    def directory(self):
        """The command that serves it."""
        database = f"sqlite:{self.folder / 'directory.db'}"
        return [PROGRAMS / "firstsight", "serve", "--listen", "127.0.0.1:0", "--database", database]

    def spawn(self, command, name, core, **environment):
        with open(self.folder / name, "wb") as log:
            process = subprocess.Popen(
                [*on(core, self.ahead), *(str(part) for part in command)],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the benchmark, which then stops its processes.
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def until(self, probe, process, name, patience=30):
        deadline = time.monotonic() + patience
        while True:
            try:
                if found := probe():
                    return found
            except (OSError, http.client.HTTPException):
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{name} does not start:\n{self.tail(name)}")
            time.sleep(0.005)

    def admin(self, path):
        connection = http.client.HTTPConnection((self.folder / "admin").read_text(), timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def log(self, name="envoy"):
        return (self.folder / name).read_text(errors="replace")

    def tail(self, name="envoy", lines=25):
        """The end of a log, for whoever asks what went wrong."""
        ended = [f"Envoy ended with code {self.envoy.returncode}"] if self.envoy and self.envoy.poll() is not None else []
        return "\n".join(self.log(name).splitlines()[-lines:] + ended)

    def worker(self):
        """The worker thread's times so far, in nanoseconds: running, and ready to run while others had its core."""
        for task in Path(f"/proc/{self.envoy.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("wrk:worker_0"):
                running, waiting, _ = (task / "schedstat").read_text().split()
                return int(running), int(waiting)
        raise Failed(f"Envoy has no worker:\n{self.tail()}")

    def resident_bytes(self):
        status = Path(f"/proc/{self.envoy.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def deliver(self, *listeners):
        """Gives a running Envoy these listeners, in one step: it must not see half a file."""
        resources = [{"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", **each} for each in listeners]
        new = self.folder / "lds.new"
        new.write_text(json.dumps({"version_info": str(len(resources)), "resources": resources}))
        new.rename(self.folder / "lds.json")

    def bootstrap(self, directory_port):
        document = {
            "node": {"id": "bench", "cluster": "bench"},
            "admin": {"address": address(0)},
            "static_resources": {
                "listeners": [listener(arm) for arm in self.arms],
                "clusters": [cluster("directory", directory_port)],
            },
        }
        if self.live:
            source = {"path": str(self.folder / "lds.json")}
            document["dynamic_resources"] = {
                "lds_config": {"resource_api_version": "V3", "path_config_source": source}
            }
        return document


def listener(arm, port=0):
    filters = [arm.http_filter] if arm.http_filter else []
    manager = {
        "@type": MANAGER,
        "stat_prefix": arm.name,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, **arm.route}],
                }
            ]
        },
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": arm.name, "address": address(port), "filter_chains": [chain]}


def cluster(name, port):
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def stop(process):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        process.send_signal(sign)
        try:
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            pass
