"""The terminal, when a request is over."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from glass import Glass
from lab import program
from scene import LAST, PATIENCE, check, desk


def wiped() -> str:
    """At a terminal without a page: the code is off it however the request
    ends, and the last line says what came of it."""
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
    with desk(eyes=False) as (one, _):
        for form, end in [(form, end) for form in ("terminal", "text") for end in [*signals, "timeout", "phone"]]:
            options = one.site.request() | ({"timeout": 2000} if end == "timeout" else {})
            asked = one.lab.folder / "options.json"
            asked.write_text(json.dumps(options))
            reach = ["--ca-file", str(one.lab.ca_file), "--connect-to", one.relay.connect_to]
            command = [program("cablecar"), "get", "--origin", one.site.origin, "--qr", form, *reach]
            glass = Glass(command, one.lab.env | {"COLUMNS": "200"}, str(asked))
            glass.wait_for("scan the code with")
            check(glass.shows_code(), f"--qr {form} shows no code: {glass.rows}")
            if end in signals:
                os.kill(glass.pid, end)
            if end == "phone":
                blocks = one.lab.folder / "blocks.png"
                code = re.search(r"FIDO:/\d+", glass.said)
                one.phone.scan(code.group() if code else drawn(glass.rows, blocks), relay=one.relay).expect(0)
            glass.wait_for(None)
            check(not glass.shows_code(), f"--qr {form}, {end!r}: the code is still there: {glass.rows}")
            says = LAST if end == "phone" else "remedy: "
            check(says in glass.last_line(), f"--qr {form}, {end!r}: the last line is {glass.last_line()!r}")
    return f"{2 * (len(signals) + 2)} ends"


def drawn(rows: list[str], path: Path) -> Path:
    """A picture of the blocks in a terminal: two modules a cell, one above the other."""
    cells = [row for row in rows if set(row) & set("█▀▄")]
    width = max(map(len, cells))
    pixels = []
    for row in cells:
        row = row.ljust(width)
        pixels.append([cell in "█▀" for cell in row])
        pixels.append([cell in "█▄" for cell in row])
    side, quiet = 6, 24
    lines = [[1] * (width * side + 2 * quiet)] * quiet
    for row in pixels:
        line = [1] * quiet + [0 if dark else 1 for dark in row for _ in range(side)] + [1] * quiet
        lines += [line] * side
    lines += [[1] * (width * side + 2 * quiet)] * quiet
    grey = bytes(255 * value for line in lines for value in line)
    pgm = b"P5 %d %d 255\n" % (len(lines[0]), len(lines)) + grey
    subprocess.run(["convert", "pgm:-", str(path)], input=pgm, check=True, timeout=PATIENCE)
    return path
