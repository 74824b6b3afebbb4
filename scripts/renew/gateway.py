"""The gateway whose filter is delivered as Istio does: the listener names it, and it is read from a file that is replaced (ECDS)."""
import http.client
import json
import time
from contextlib import suppress

from arrive.gateway import Gateway
from measure import MODULE, Failed

NAME = "extensions.istio.io/trafficextension/bench.firstsight~istio-translated-wasmplugin"
STATS = f"extension_config_discovery.http_filter.{NAME}"
# However busy the machine is.
PATIENCE = 60
RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"


class Delivered(Gateway):
    def __init__(self, options):
        super().__init__(options)
        self.options, self.versions, self.builds = options, 0, 0
        arm = self.arms[0]
        self.filter = arm.http_filter["typed_config"]
        plugin = self.filter["config"]
        self.code = plugin["vm_config"]["code"]["local"]
        # Istio has no way to say a vm_id.
        del plugin["vm_config"]["vm_id"]
        self.configuration = json.loads(plugin["configuration"]["value"])

    def start_envoy(self):
        self.write()
        source = {"path_config_source": {"path": str(self.folder / "ecds.json")}, "initial_fetch_timeout": "0s"}
        discovery = {"config_source": {"resource_api_version": "V3", **source}, "type_urls": [self.filter["@type"], RBAC]}
        self.arms[0].http_filter = {"name": NAME, "config_discovery": discovery}
        super().start_envoy()

    def update(self):
        """Delivers another configuration; it is taken when this returns."""
        self.configuration["gateway"] = f"edge-{self.versions + 1}"
        self.deliver_filter()

    def swap(self):
        """Delivers another module: the same code, with a section that nobody reads."""
        self.builds += 1
        name = b"build-%d" % self.builds
        self.code["filename"] = str(self.folder / f"{name.decode()}.wasm")
        content = (self.options.module or MODULE).read_bytes()
        section = bytes([0, len(name) + 1, len(name)]) + name
        with open(self.code["filename"], "wb") as file:
            file.write(content + section)
        self.deliver_filter()

    def deliver_filter(self):
        taken, refused = self.deliveries()
        self.write()
        deadline = time.monotonic() + PATIENCE
        while True:
            # While its main thread compiles a module, Envoy answers nobody who asks how it is.
            with suppress(OSError, http.client.HTTPException):
                now = self.deliveries()
                if now[0] > taken:
                    return
                if now[1] > refused:
                    raise Failed(f"an update is refused:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"an update is not taken:\n{self.tail()}")
            time.sleep(0.005)

    def deliveries(self):
        """How many were taken, and how many refused."""
        lines = self.admin(f"/stats?filter={STATS}.update_").splitlines()
        told = dict(line.rsplit(": ", 1) for line in lines)
        return tuple(int(told.get(f"{STATS}.update_{word}", 0)) for word in ("success", "rejected"))

    def write(self):
        """In one step: Envoy must not see half a file."""
        self.versions += 1
        self.filter["config"]["configuration"]["value"] = json.dumps(self.configuration)
        kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
        resource = {"@type": kind, "name": NAME, "typed_config": self.filter}
        new = self.folder / "ecds.new"
        new.write_text(json.dumps({"version_info": str(self.versions), "resources": [resource]}))
        new.rename(self.folder / "ecds.json")
