"""What gateways post, sent by wrk over as many connections as they have: no client costs less, and it shares the cores."""
from measure import ROOT, Failed
from measure.load import BROKEN, PROGRAM, wrk

from .directory import AUTHORIZATION

SCRIPT = ROOT / "bench" / "bodies.lua"


def post(directory, path, file, content_type, connections, seconds):
    """Posts the bodies in the file, each once, for so long; what wrk tells, and for how many `busy` seconds the directory
    had a core. Any answer but a 2xx is a failure."""
    url = f"http://127.0.0.1:{directory.directory_port}{path}"
    command = [PROGRAM, "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(SCRIPT), url]
    command += ["--", str(file), content_type, AUTHORIZATION["authorization"]]
    before = directory.busy_seconds()
    told = wrk(command, lambda: directory.tail("directory"))
    busy = directory.busy_seconds() - before
    if told["short"]:
        raise Failed(f"{file} has too few bodies for {seconds} s")
    if told["refused"] or any(told["broken"]) or not told["requests"]:
        broken = ", ".join(f"{count} {what}" for count, what in zip(told["broken"], BROKEN))
        raise Failed(
            f"of {told['requests']} answers {told['refused']} are refusals; wrk tells of {broken}\n"
            f"{directory.tail('directory')}"
        )
    return {**told, "busy": busy}
