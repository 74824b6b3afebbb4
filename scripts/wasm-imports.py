#!/usr/bin/env python3
"""Checks what a module asks of its host: the Proxy-Wasm ABI (`env.proxy_*`) and `wasi_snapshot_preview1`, nothing else.

Prints the imports counted and the module's size; fails when a proxy could not load it.
"""
import sys
from collections import defaultdict
from pathlib import Path

IMPORT_SECTION = 2
# The kinds of an import, in the order of their numbers.
FUNCTION, TABLE, MEMORY, GLOBAL = range(4)


class Reader:
    """A cursor over the bytes of a module."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self):
        length = self.number()
        self.at += length
        return self.data[self.at - length : self.at]

    def limits(self):
        has_maximum = self.byte() & 1
        self.number()
        if has_maximum:
            self.number()

    def import_(self):
        module, name, kind = self.bytes().decode(), self.bytes().decode(), self.byte()
        if kind == FUNCTION:
            self.number()
        elif kind == TABLE:
            self.byte()
            self.limits()
        elif kind == MEMORY:
            self.limits()
        elif kind == GLOBAL:
            self.byte()
            self.byte()
        else:
            raise ValueError(f"import of unknown kind {kind}")
        return module, name


def imports(data):
    if data[:8] != b"\0asm\1\0\0\0":
        raise ValueError("not a WebAssembly module of version 1")
    reader = Reader(data)
    reader.at = 8
    while reader.at < len(data):
        section, body = reader.byte(), Reader(reader.bytes())
        if section == IMPORT_SECTION:
            return [body.import_() for _ in range(body.number())]
    return []


def allowed(module, name):
    return module == "wasi_snapshot_preview1" or (module == "env" and name.startswith("proxy_"))


def main():
    path = Path(sys.argv[1])
    data = path.read_bytes()
    found = imports(data)
    by_module = defaultdict(list)
    for module, name in found:
        by_module[module].append(name)
    print(f"    {len(data) / 1024:.0f} KiB, {len(found)} imports")
    for module, names in sorted(by_module.items()):
        print(f"    {module} ({len(names)}): {' '.join(sorted(names))}")
    foreign = [f"{module}.{name}" for module, name in found if not allowed(module, name)]
    if foreign:
        sys.exit(
            f"error: the module imports what no proxy offers: {' '.join(foreign)}\n"
            "       Some dependency was built for a browser; `cargo tree --target wasm32-wasip1 -i wasm-bindgen` shows who asks."
        )


if __name__ == "__main__":
    main()
