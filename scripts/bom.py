"""A bill of materials (CycloneDX 1.6) of one package, from Cargo's own resolution: `cargo tree` knows the features and the
target of what is built, where `cargo metadata`, which other tools read, has those of the whole workspace at once.
"""
import hashlib
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def bill(package, target=None, content=None):
    """The bill of a package for a target, or for this machine. `content` is what was built from it."""
    at = ["--target", target] if target else []
    # The depth and name of each package; one that was there before has no branches of its own.
    lines = tree(package, *at, "-e", "normal,build", "--prefix", "depth", "--format", "|{p}|{l}|")
    built_in = {ref(line.split("|")[0]) for line in tree(package, *at, "-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}|")}
    licences, branches, above = {}, {}, []
    for depth, described, licence, _ in (line.split("|", 3) for line in lines):
        name = ref(described)
        licences[name] = licence
        branches.setdefault(name, set())
        del above[int(depth) :]
        if above:
            branches[above[-1]].add(name)
        above.append(name)
    sums = checksums()
    (root, licence), *others = licences.items()
    described = component(root, licence, sums, "application")
    if content is not None:
        described["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": described, "properties": [{"name": "cargo:target", "value": target or host()}]},
        # What is needed to build, and is not in what is built, is excluded.
        "components": [
            {**component(name, licence, sums), "scope": "required" if name in built_in else "excluded"}
            for name, licence in sorted(others)
        ],
        "dependencies": [{"ref": name, "dependsOn": sorted(on)} for name, on in sorted(branches.items())],
    }


def tree(package, *options):
    command = ["cargo", "tree", "--locked", "--package", package, *options]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    return [line for line in output.splitlines() if line]


def ref(described):
    """`serde v1.0.228 (proc-macro)` is serde@1.0.228."""
    name, version = described.split()[:2]
    return f"{name}@{version[1:]}"


def component(name, licence, sums, kind="library"):
    package, version = name.split("@")
    found = {"type": kind, "bom-ref": name, "name": package, "version": version}
    if licence:
        found["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    # What has a checksum is a crate of the registry; ours have none.
    if name in sums:
        found["purl"] = f"pkg:cargo/{name}"
        found["hashes"] = [{"alg": "SHA-256", "content": sums[name]}]
    return found


def checksums():
    """Of every crate, what Cargo.lock has."""
    text = (ROOT / "Cargo.lock").read_text()
    entry = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"'
    return {f"{name}@{version}": digest for name, version, digest in re.findall(entry, text)}


def host():
    version = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return re.search(r"^host: (.+)$", version, re.MULTILINE)[1]
