#!/usr/bin/env python3
"""Lays out what is published, in dist/release: module, image, JSON Schema, SBOMs and checksums: `make release`.

    release.py PROGRAM      PROGRAM is the companion, which prints the schema

The same commit gives the same files.
"""
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bom

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
RELEASE = DIST / "release"
SUMS = "SHA256SUMS"


def main(program):
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    name = f"firstsight-{version}"
    module = (DIST / "firstsight.wasm").read_bytes()
    schema = subprocess.run([program, "schema"], stdout=subprocess.PIPE, check=True).stdout
    of_module = bom.bill("firstsight", "wasm32-wasip1", module)
    files = {
        f"{name}.wasm": module,
        f"{name}-image.tar": (DIST / "firstsight-image.tar").read_bytes(),
        f"{name}-configuration.schema.json": schema,
        f"{name}.wasm.cdx.json": encode(of_module),
        f"{name}-companion.cdx.json": encode(bom.bill("firstsight-companion")),
    }
    shutil.rmtree(RELEASE, ignore_errors=True)
    RELEASE.mkdir(parents=True)
    for file, content in files.items():
        (RELEASE / file).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {file}\n" for file, content in sorted(files.items()))
    (RELEASE / SUMS).write_text(sums)
    print(sums, end="")
    print(f"==> {RELEASE.relative_to(ROOT)}; to check it: cd {RELEASE.relative_to(ROOT)} && sha256sum --check {SUMS}")


def encode(document):
    return (json.dumps(document, indent=1) + "\n").encode()


if __name__ == "__main__":
    main(*sys.argv[1:])
