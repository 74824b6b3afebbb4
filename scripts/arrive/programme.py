"""Several measurements in a row: which of them are wanted, and how their figures are told."""
import argparse
import importlib
import json
import resource
import sys
from pathlib import Path

from measure.summary import machine
from show.screen import dim, doing, say

from .figures import table


class Programme:
    """Measurements by name; each is a module of `package` with `title(options)` and `measure(options)`, which gives figures."""

    def __init__(self, package, names, description):
        self.package, self.names = package, names
        self.parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        words = lambda text: [word for word in text.split(",") if word]  # noqa: E731
        self.parser.add_argument("--only", type=words, metavar="A,B", default=list(names), help=f"of {', '.join(names)}")
        self.parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
        self.parser.add_argument("--check", action="store_true", help="fail if a target is missed")

    def read(self):
        options = self.parser.parse_args()
        if unknown := [name for name in options.only if name not in self.names]:
            self.parser.error(f"nothing called {', '.join(unknown)} is measured; there is {', '.join(self.names)}")
        return options

    def run(self, options):
        """Measures and tells, one after the other; ends the program with 1 if a target is missed that may not be."""
        # Each connection is a file.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        figures = {}
        for name in options.only:
            measured = importlib.import_module(f"{self.package}.{name}")
            doing(measured.title(options))
            figures[name] = measured.measure(options)
            say("\n".join(table(measured.title(options), figures[name])) + "\n")
        circumstances = machine()
        say(dim("{date}, {commit}, Envoy {envoy}, {cpu}, {kernel}".format(**circumstances)))
        if options.json:
            document = {name: [figure.document() for figure in those] for name, those in figures.items()}
            told = {"circumstances": circumstances, "figures": document}
            options.json.write_text(json.dumps(told, indent=2) + "\n")
        if options.check and any(figure.met is False for those in figures.values() for figure in those):
            sys.exit(1)
