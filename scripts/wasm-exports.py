#!/usr/bin/env python3
"""Takes out of a module the exports that the filter has no use for: `wasm-exports.py IN OUT`.

The SDK exports every callback there is, and a proxy calls what it finds, request after request. What stays is listed here;
the module is not touched otherwise. Fails when one of these is missing.
"""
import sys
from pathlib import Path

EXPORT_SECTION = 7

# What the ABI asks for, and the callbacks that src/envoy answers.
NEEDED = {
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_http_call_response",
    "proxy_on_done",
    "proxy_on_delete",
}


def number(data, at):
    """An unsigned LEB128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def encoded(value):
    out = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def sections(data):
    """(id, content), in order."""
    if data[:8] != b"\0asm\1\0\0\0":
        raise ValueError("not a WebAssembly module of version 1")
    at = 8
    while at < len(data):
        kind = data[at]
        size, start = number(data, at + 1)
        at = start + size
        yield kind, data[start:at]


def exports(content):
    """(name, entry), in order; an entry is a name, a kind and an index."""
    count, at = number(content, 0)
    for _ in range(count):
        start = at
        length, at = number(content, at)
        name = content[at : at + length].decode()
        at += length + 1
        _, at = number(content, at)
        yield name, content[start:at]


def trimmed(data, keep):
    """The module with these exports only, and the names of those that it had."""
    out, found = bytearray(data[:8]), []
    for kind, content in sections(data):
        if kind == EXPORT_SECTION:
            entries = list(exports(content))
            found = [name for name, _ in entries]
            kept = [entry for name, entry in entries if name in keep]
            content = encoded(len(kept)) + b"".join(kept)
        out += bytes([kind]) + encoded(len(content)) + content
    return bytes(out), found


def main():
    source, target, *more = sys.argv[1:]
    keep = NEEDED | set(more)
    module, found = trimmed(Path(source).read_bytes(), keep)
    if missing := keep - set(found):
        sys.exit(f"error: the module does not export what it must: {' '.join(sorted(missing))}")
    Path(target).write_bytes(module)
    gone = [name for name in found if name not in keep]
    print(f"    {len(keep)} exports; taken out ({len(gone)}): {' '.join(sorted(gone))}")


if __name__ == "__main__":
    main()
