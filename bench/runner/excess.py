"""What an endpoint answers of twice as many queries as it may, from one client."""

from runner.asking import noted_load, notes
from runner.configs import Shape, sluice
from runner.process import BenchError

LIMIT, TIMES = 10_000, 2
BURST_S = 1  # what is let through at once at the beginning is past by then
TAIL_S = 0.2


def limit(seconds):
    """Queries that come while `seconds` pass, counted by when they were sent."""
    with sluice(Shape(limit=LIMIT)) as server, noted_load(
            server, "zone", "--rate", TIMES * LIMIT, "--seconds", BURST_S + seconds + TAIL_S) as run:
        run.result()
    taken = notes()
    begin = min(note.sent for note in taken) + BURST_S
    counted = [note for note in taken if begin <= note.sent < begin + seconds]
    answered = sum(note.found == "right" for note in counted)
    if len(counted) < 0.95 * TIMES * LIMIT * seconds:
        raise BenchError("the load sent only %d questions" % len(counted))
    return {"asked": len(counted), "answered": answered,
            "failed": sum(note.found not in ("right", "truncated", "lost") for note in counted),
            "off_percent": 100 * abs(answered / (LIMIT * seconds) - 1)}
