#!/usr/bin/env python3
"""Makes an OCI image of dist/firstsight.wasm, dist/firstsight-image.tar, without Docker: `make image`.

One layer, tar and gzip, with the module as `plugin.wasm`: what Istio's agent and Envoy Gateway take. The same module gives
the same digest. Push it with what you have:

    skopeo copy oci-archive:dist/firstsight-image.tar docker://REGISTRY/firstsight:VERSION
    crane push dist/firstsight-image.tar REGISTRY/firstsight:VERSION
"""
import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE = ROOT / "dist" / "firstsight.wasm"
IMAGE = ROOT / "dist" / "firstsight-image.tar"


def main():
    if not MODULE.exists():
        sys.exit("error: dist/firstsight.wasm is not there: make wasm")
    # Not with tomllib: Python has it since 3.11.
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    manifest = write(MODULE.read_bytes(), version)
    print(f"dist/firstsight-image.tar: firstsight {version}, digest sha256:{manifest}")


def write(module, version):
    """Writes the image; returns the digest of its manifest."""
    blobs = {}

    def blob(content, media_type, **more):
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    layer = archive({"plugin.wasm": module})
    labels = {
        "org.opencontainers.image.title": "firstsight",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
    }
    config = {
        "architecture": "wasm",
        "os": "wasi",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "make image"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(encode(config), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(gzip.compress(layer, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")],
        "annotations": labels,
    }
    named = {"annotations": {"org.opencontainers.image.ref.name": version}}
    described = blob(encode(manifest), manifest["mediaType"], **named)
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described]}
    files = {"oci-layout": encode({"imageLayoutVersion": "1.0.0"}), "index.json": encode(index), **blobs}
    IMAGE.write_bytes(archive(files))
    return described["digest"].removeprefix("sha256:")


def archive(files):
    """A tar archive that says nothing of when, where and by whom it was made."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def encode(document):
    return json.dumps(document, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
