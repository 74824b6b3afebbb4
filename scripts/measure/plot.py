"""The results as a picture: a panel for each mode, a bar for each arm, and a tick from the least round to the most."""
from xml.sax.saxutils import escape

from .tokens import MODES

WIDTH, LEFT, RIGHT = 860, 150, 210
BAR, GAP, HEAD, FOOT = 20, 8, 44, 56
OURS, THEIRS, INK, PALE = "#0f766e", "#b6c2cf", "#1f2937", "#6b7280"
FONT = "font-family='system-ui, Helvetica, Arial, sans-serif'"


def plot(modes, circumstances):
    heights = [HEAD + len(arms) * (BAR + GAP) for arms in modes.values()]
    height = 52 + sum(heights) + FOOT
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' {FONT}>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
        text(20, 32, "Requests per second of one Envoy worker", size=18, weight="600"),
    ]
    top = 52
    # One scale for all, as they are all requests of the same worker.
    scale = (WIDTH - LEFT - RIGHT) / max(arm["per_second"]["most"] for arms in modes.values() for arm in arms.values())
    for (mode, arms), taken in zip(modes.items(), heights):
        parts += panel(top, mode, arms, scale)
        top += taken
    told = "Bars: the middle of {rounds} rounds of {seconds} s; ticks: least and most. Envoy {envoy}, {cpu}, {date}."
    parts.append(text(20, height - 22, told.format(**circumstances), colour=PALE, size=11))
    return "\n".join([*parts, "</svg>", ""])


def panel(top, mode, arms, scale):
    yield text(20, top + 30, f"{mode}: {MODES[mode].what}", weight="600")
    for number, (name, arm) in enumerate(arms.items()):
        y = top + HEAD + number * (BAR + GAP)
        speed = {key: value * scale for key, value in arm["per_second"].items()}
        middle = y + BAR / 2
        ours = name.startswith("firstsight")
        yield text(LEFT - 10, middle + 4, name, anchor="end", weight="600" if ours else "400")
        yield f"<rect x='{LEFT}' y='{y}' width='{speed['middle']:.1f}' height='{BAR}' rx='2' fill='{OURS if ours else THEIRS}'/>"
        least, most = LEFT + speed["least"], LEFT + speed["most"]
        line = f"M{least:.1f} {middle}H{most:.1f}M{least:.1f} {middle - 4}v8M{most:.1f} {middle - 4}v8"
        yield f"<path d='{line}' stroke='{INK}' stroke-width='1.2' fill='none'/>"
        label = f"{arm['per_second']['middle']:,.0f}"
        if "jwt_authn" in arm["compared_with"] and name != "jwt_authn":
            label += f"  ({arm['compared_with']['jwt_authn']['by_speed']['middle']:.2f} x jwt_authn)"
        yield text(most + 8, middle + 4, label, size=12)


def text(x, y, words, anchor="start", size=13, weight="400", colour=INK):
    style = f"text-anchor='{anchor}' font-size='{size}' font-weight='{weight}' fill='{colour}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(words)}</text>"
