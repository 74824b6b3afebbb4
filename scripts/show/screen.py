"""How the demo speaks: what was sent, what came back, why. Colours only on a terminal."""
import os
import sys

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def bold(text):
    return paint("1", text)


def dim(text):
    return paint("2", text)


def say(text=""):
    print(text, flush=True)


def doing(text):
    say(f"{bold('==>')} {text}")


def failed(text):
    print(f"\n{paint('1;31', 'FAILED')} {text}", file=sys.stderr, flush=True)


class Screen:
    """Prints the steps of a story and keeps one line of each for the summary."""

    def __init__(self):
        self.lines = []

    def step(self, title):
        self.lines.append([title, ""])
        say(f"\n{bold(f'{len(self.lines)}. {title}')}")

    def sent(self, text):
        say(f"   {dim('sent')}  {text}")

    def got(self, answer, facts=()):
        colour = "32" if answer.status < 400 else "33"
        say(f"   {dim('got')}   {paint(colour, answer.status)} {dim(f'in {answer.milliseconds:.1f} ms')}")
        for fact in facts:
            say(f"         {fact}")
        self.lines[-1][1] = f"{answer.status} in {answer.milliseconds:.1f} ms"

    def saw(self, text):
        say(f"   {dim('seen')}  {text}")

    def why(self, text):
        say(f"   {dim('why')}   {text}")

    def result(self, text):
        """What the summary says of this step, in place of its last answer."""
        self.lines[-1][1] = text

    def summary(self):
        say(f"\n{bold('What happened')}")
        width = max(len(title) for title, _ in self.lines)
        for number, (title, result) in enumerate(self.lines, 1):
            say(f"  {paint('32', 'ok')} {number:2}. {title:<{width}}  {dim(result)}")


def short(token):
    """A token as it may be shown: enough to recognise it, not enough to use it."""
    return f"{token[:10]}…{token[-4:]}"
