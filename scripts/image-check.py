#!/usr/bin/env python3
"""Pushes the image into a registry of its own, and fetches it as Istio's agent does: by tag, checked by its digest, the last
layer's `plugin.wasm`: `make test-image`."""
import gzip
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = ROOT / "dist" / "firstsight-image.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main():
    with tempfile.TemporaryDirectory() as folder:
        registry, address = start(Path(folder))
        try:
            check(address)
        finally:
            registry.terminate()
            registry.wait()


def check(address):
    where = f"{address}/firstsight:test"
    copy = ["skopeo", "copy", "--insecure-policy", "--quiet", "--dest-tls-verify=false"]
    subprocess.run([*copy, f"oci-archive:{IMAGE}", f"docker://{where}"], check=True)
    with tarfile.open(IMAGE) as archive:
        index = json.load(archive.extractfile("index.json"))
    made = index["manifests"][0]["digest"]
    by_tag, digest = fetch(f"http://{address}/v2/firstsight/manifests/test")
    expect("the digest of the manifest", digest, made)
    expect("the manifest by its digest", fetch(f"http://{address}/v2/firstsight/manifests/{made}")[0], by_tag)
    layer = json.loads(by_tag)["layers"][-1]
    expect("the layer's type", layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip")
    content, _ = fetch(f"http://{address}/v2/firstsight/blobs/{layer['digest']}")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
        expect("what is in the layer", archive.getnames(), ["plugin.wasm"])
        module = archive.extractfile("plugin.wasm").read()
    built = (ROOT / "dist" / "firstsight.wasm").read_bytes()
    expect("the module", hashlib.sha256(module).hexdigest(), hashlib.sha256(built).hexdigest())
    print(f"pushed and fetched: {made}")


def start(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
    }
    # JSON is YAML.
    (folder / "registry.yml").write_text(json.dumps(settings))
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    # It calls it an error to be asked whether something is there; what it says is of use only if it does not start.
    log = folder / "registry.log"
    with log.open("w") as said:
        command = ["docker-registry", "serve", folder / "registry.yml"]
        registry = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    for _ in range(100):
        try:
            fetch(f"http://{address}/v2/")
            return registry, address
        except urllib.error.URLError:
            time.sleep(0.1)
    registry.kill()
    sys.exit(f"error: the registry does not answer\n{log.read_text()}")


def fetch(url):
    """What is there, and its digest."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"accept": MANIFEST})
    with opener.open(request, timeout=10) as answer:
        return answer.read(), answer.headers.get("docker-content-digest")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"error: {what} is {found}, and should be {wanted}")


if __name__ == "__main__":
    main()
