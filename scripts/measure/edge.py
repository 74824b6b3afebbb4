"""Envoy with a listener for each arm, and the directory: one worker on one core, and everything else on the other."""
import http.client
import json
import os
from pathlib import Path

from . import PROGRAMS, ROOT, Failed
from .arms import DIRECTORY_TOKEN
from .beside import Beside, resident_bytes

ENVOY = ROOT / ".setup" / "bin" / "envoy"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def cores():
    """Envoy's core and everybody else's."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Failed("this needs two cores: one for Envoy, one for the load")
    return allowed[0], allowed[1]


class Edge(Beside):
    """Everything that runs beside the load."""

    workers = 1

    def __init__(self, arms, ahead=False, log_levels="wasm:info", live=False):
        """With `live`, Envoy gets its listeners while it runs (`deliver`), and has every core, as in life."""
        self.arms, self.ahead, self.log_levels, self.live = list(arms), ahead, log_levels, live
        self.envoy = None

    def start(self):
        self.directory_port = self.start_directory()
        self.start_envoy()

    def start_directory(self):
        """The port that it listens on then."""
        directory = self.spawn(self.directory(), "directory", cores()[1], FIRSTSIGHT_TOKEN=DIRECTORY_TOKEN)
        return self.port(directory, "directory")

    def start_envoy(self):
        bootstrap = self.folder / "envoy.json"
        bootstrap.write_text(json.dumps(self.bootstrap(self.directory_port)))
        if self.live:
            self.deliver()
        self.envoy = self.spawn(
            [ENVOY, "-c", bootstrap, "--concurrency", str(self.workers), "--disable-hot-restart"]
            + ["--admin-address-path", self.folder / "admin"]
            + ["--log-level", "warning", "--component-log-level", self.log_levels],
            "envoy",
            None if self.live or self.workers > 1 else cores()[0],
        )
        self.until(lambda: self.admin("/ready").startswith("LIVE"), self.envoy, "envoy")
        listeners = json.loads(self.admin("/listeners?format=json")).get("listener_statuses", [])
        self.ports = {each["name"]: each["local_address"]["socket_address"]["port_value"] for each in listeners}

    def directory(self):
        """The command that serves it."""
        database = f"sqlite:{self.folder / 'directory.db'}"
        return [PROGRAMS / "firstsight", "serve", "--listen", "127.0.0.1:0", "--database", database]

    def admin(self, path):
        connection = http.client.HTTPConnection((self.folder / "admin").read_text(), timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def tail(self, name="envoy"):
        ended = self.envoy and self.envoy.poll() is not None
        return super().tail(name) + (f"\nEnvoy ended with code {self.envoy.returncode}" if ended else "")

    def worker(self):
        """The worker thread's times so far, in nanoseconds: running, and ready to run while others had its core."""
        for task in Path(f"/proc/{self.envoy.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("wrk:worker_0"):
                running, waiting, _ = (task / "schedstat").read_text().split()
                return int(running), int(waiting)
        raise Failed(f"Envoy has no worker:\n{self.tail()}")

    def resident_bytes(self):
        return resident_bytes(self.envoy)

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
