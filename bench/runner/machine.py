"""Facts about the machine and the programs, for whoever wants to doubt or repeat the figures."""

import os
import platform
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build" / "bench"
RESULTS = TOP / "bench" / "results"  # of whole runs: kept with the code
PARTIAL = BUILD / "results"
PROGRAM = {"sluice": TOP / "build" / "sluice"}  # bench/run --sluice sets another


def output(*argv):
    try:
        result = subprocess.run(argv, capture_output=True, text=True, cwd=TOP, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def first(pattern, path):
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        return ""
    return found.group(1) if found else ""


def facts():
    changed = output("git", "status", "--porcelain", "--", "rules", "endpoints", "resolver")
    return {
        "processor": first(r"^model name\s*: (.*)$", "/proc/cpuinfo"),
        "processors": os.cpu_count(),
        "memory_mb": int(first(r"^MemTotal:\s+(\d+)", "/proc/meminfo") or 0) // 1024,
        "virtual": output("systemd-detect-virt") or "unknown",
        "kernel": platform.release(),
        "system": first(r'^PRETTY_NAME="(.*)"', "/etc/os-release"),
        "compiler": output("gcc", "--version").split("\n")[0],
        "sluice": output(str(PROGRAM["sluice"]), "--version"),
        "commit": output("git", "rev-parse", "--short", "HEAD") + ("+changes" if changed else ""),
        "load_average": os.getloadavg()[0],
    }


def package_version(package):
    return output("dpkg-query", "-W", "-f", "${Version}", package)
