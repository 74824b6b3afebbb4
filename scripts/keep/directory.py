"""The directory, on a database of its own: started, asked, stopped and started again on the same port."""
import http.client
import json
import os
import subprocess
import time

from measure import Failed
from measure.arms import DIRECTORY_TOKEN
from measure.beside import Beside, busy_seconds, resident_bytes

from . import RELEASED

AUTHORIZATION = {"authorization": f"Bearer {DIRECTORY_TOKEN}"}


class Directory(Beside):
    """`server`: the URL of a PostgreSQL in which it gets a database; without one it keeps a file of SQLite. `seed(database)`
    fills what it has made before it is started for good."""

    def __init__(self, server=None, seed=None):
        self.server, self.seed = server, seed

    def start(self):
        self.database = f"{self.server}/{create(self.server)}" if self.server else f"sqlite:{self.folder / 'directory.db'}"
        self.directory_port = 0
        self.begin()
        if self.seed:
            # What was made is the schema.
            self.stop(self.process)
            self.seed(self.database)
            self.began_in = self.begin()

    def begin(self):
        """Starts it; in how many seconds it listened."""
        began = time.monotonic()
        listen = f"127.0.0.1:{self.directory_port}"
        command = [RELEASED, "serve", "--listen", listen, "--database", self.database]
        self.process = self.spawn(command, "directory", FIRSTSIGHT_TOKEN=DIRECTORY_TOKEN)
        self.directory_port = self.port(self.process, "directory")
        return time.monotonic() - began

    def restart(self):
        """Has it stop as a service manager does, and starts it again."""
        self.stop(self.process)
        self.begin()

    def ask(self, method, path, document=None):
        """What it says, on a connection of its own; anything but 200 is a failure."""
        with Asking(self.directory_port) as asking:
            return asking.ask(method, path, document)

    def asking(self):
        return Asking(self.directory_port)

    def resident_bytes(self):
        return resident_bytes(self.process)

    def busy_seconds(self):
        return busy_seconds(self.process)

    def verify(self):
        """In how many seconds `firstsight audit verify` found that nothing is wrong, and among how many records."""
        began = time.monotonic()
        done = subprocess.run([RELEASED, "audit", "verify", "--database", self.database], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"the audit is not whole:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return time.monotonic() - began, int(done.stdout.split()[0])


class Asking:
    """One connection to the directory that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def ask(self, method, path, document=None):
        body = None if document is None else json.dumps(document)
        self.connection.request(method, path, body, AUTHORIZATION)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Failed(f"{method} {path} was answered {answer.status}: {content[:500]!r}")
        return json.loads(content)


def create(server):
    """Makes a database there; its name."""
    name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
    sql(f"{server}/postgres", f"CREATE DATABASE {name}")
    return name


def sql(database, statements):
    """Has PostgreSQL do that; `statements` is a text, or lines of it."""
    command = [os.environ["FIRSTSIGHT_PSQL"], "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", database]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    process.stdin.writelines([statements] if isinstance(statements, str) else statements)
    process.stdin.close()
    if process.wait():
        raise Failed("PostgreSQL did not take it")


def server():
    """The PostgreSQL beside which scripts/postgres.sh runs this."""
    return os.environ.get("FIRSTSIGHT_POSTGRES")
