#!/usr/bin/env python3
"""The demo: builds everything, starts it on loopback, and tells what firstsight does with real requests.

    scripts/demo.py         tells the story and leaves nothing running
    scripts/demo.py up      leaves everything running, and says what to try
    scripts/demo.py down    stops that
"""
import signal
import sys
import time

sys.dont_write_bytecode = True

from show import stack as processes  # noqa: E402 (the line above must come first)
from show.screen import bold, doing, failed, say  # noqa: E402
from show.story import tell  # noqa: E402
from show.web import Unexpected  # noqa: E402

TO_TRY = f"""
{bold('It runs. To try, from the repository:')}

  token=$(curl -s http://{processes.ISSUER}/dev/token -H 'content-type: application/json' \\
    -d '{{"sub":"alice","aud":"orders-api","email":"alice@example.test","groups":["eng"]}}' \\
    | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')

  curl -i http://{processes.EDGE}/orders                                          # refused
  curl -i http://{processes.EDGE}/orders -H "authorization: Bearer $token"        # what the application saw
  curl -s http://{processes.DIRECTORY}/v1/accounts -H "authorization: Bearer $(cat .run/directory-token)"
  curl -s http://{processes.ADMIN}/stats?filter=firstsight
  http://{processes.DIRECTORY}/console                                            # in a browser; sign in with that token

Logs are in .run/, the configuration is envoy/envoy.yaml. {bold('make down')} stops everything.
"""


def main():
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupted)
    command = sys.argv[1] if len(sys.argv) > 1 else "story"
    if command == "down":
        down()
    elif command == "up":
        run(lambda stack: say(TO_TRY), stay=True)
    elif command == "story":
        run(tell)
    else:
        sys.exit(__doc__)


def run(act, stay=False):
    started = time.monotonic()
    stack = processes.Stack()
    finished = False
    try:
        # Said before anything is built; asked again after it.
        processes.refuse_if_running()
        processes.refuse_taken_ports()
        processes.build()
        doing("starting, each on its own port of 127.0.0.1")
        stack.start_all()
        act(stack)
        finished = True
    except Unexpected as problem:
        explain(problem)
    except KeyboardInterrupt:
        say("\ninterrupted")
    finally:
        # A second Ctrl-C may not keep the first from cleaning up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if stack.running and not (stay and finished):
            stack.stop_all()
            say("\nEverything that was started is stopped.")
    if finished and not stay:
        say(f"The whole demo took {time.monotonic() - started:.0f} s. `make up` runs it for you to play with.")
    sys.exit(0 if finished else 1)


def explain(problem):
    failed(str(problem))
    if problem.log:
        say(f"\nthe end of .run/{problem.log}.log:")
        for line in processes.tail(problem.log):
            say(f"    {line[:240]}")


def down():
    stopped = processes.stop_left_running()
    say(f"stopped: {', '.join(stopped)}" if stopped else "nothing of the demo is running")


def interrupted(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
