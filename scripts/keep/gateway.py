"""One gateway of several before the same directory: Envoy with two workers, each of which has its share of connections."""
from arrive import tokens
from arrive.gateway import ECHO
from measure import MODULE
from measure.arms import Arm, firstsight, wasm
from measure.edge import Edge


class Gateway(Edge):
    workers = 2

    def __init__(self, number, directory_port):
        # As a user has it who follows departures.
        configuration = {**firstsight(tokens.key_set()), "gateway": f"edge-{number}", "departures": {}}
        super().__init__([Arm("firstsight", "followed", wasm("firstsight", MODULE, configuration), route=ECHO)])
        self.port_of_directory = directory_port

    def start_directory(self):
        return self.port_of_directory

    def bootstrap(self, directory_port):
        document = super().bootstrap(directory_port)
        for listener in document["static_resources"]["listeners"]:
            # Of connections that are made one after the other, every other one is the other worker's.
            listener["connection_balance_config"] = {"exact_balance": {}}
        return document

    @property
    def port(self):
        return self.ports["firstsight"]

    def restart(self):
        """Ends it, and starts another in its place, on another port."""
        self.stop(self.envoy)
        self.start_envoy()
