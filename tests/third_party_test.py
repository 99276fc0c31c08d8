#!/usr/bin/env python3
"""THIRD_PARTY.md names every library that a source includes, with the version that is installed and the folder that uses
it, and no other: nothing is installed for nobody."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Header prefix → name in the table. Abseil is everywhere; GoogleTest and Google Benchmark are not in the binary.
HEADERS = {"boost/": "Boost", "rocksdb/": "RocksDB", "simdjson.h": "simdjson", "openssl/": "OpenSSL", "gcrypt.h": "Libgcrypt",
           "xxhash.h": "xxHash", "unicode/": "ICU", "re2/": "RE2", "zlib.h": "zlib", "toml++/": "toml++", "curl/": "libcurl", "zip.h": "libzip", "expat.h": "Expat",
           "CLI/": "CLI11", "duckdb.h": "DuckDB", "zstd.h": "Zstandard", "lz4.h": "LZ4", "librdkafka/": "librdkafka", "mosquitto.h": "libmosquitto", "fmt/": "fmt", "spdlog/": "spdlog", "argon2.h": "Argon2"}
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|(?: ([^|]+) \|)?$")


def rows():
    found = {}
    for line in (ROOT / "THIRD_PARTY.md").read_text().splitlines():
        match = ROW.match(line)
        if match and match[1] != "part" and not match[1].startswith("--"):
            found[match[1]] = {"version": match[2], "packages": match[4], "folders": match[5] or ""}
    return found


def used():
    """Folders of src/ by library."""
    found = {}
    for path in [*ROOT.glob("src/**/*.cc"), *ROOT.glob("src/**/*.h")]:
        for header in re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.M):
            for prefix, name in HEADERS.items():
                if header.startswith(prefix):
                    found.setdefault(name, set()).add("src/" + path.relative_to(ROOT / "src").parts[0])
    return found


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def development_packages():
    text = re.sub("#.*", "", (ROOT / "scripts/packages.txt").read_text())
    return [package for package in text.split() if package.endswith("-dev")]


def main():
    problems = []
    table = rows()
    libraries = used()
    for name in HEADERS.values():
        if name not in libraries and any(part.startswith(name) for part in table):
            problems.append(f"{name} is in THIRD_PARTY.md, but no source includes it")
    listed = {package for row in table.values() for package in row["packages"].split(", ")}
    for package in development_packages():
        if package not in listed:
            problems.append(f"scripts/packages.txt installs {package}, which THIRD_PARTY.md does not know")
    for name, folders in sorted(libraries.items()):
        row = next((row for part, row in table.items() if part.startswith(name)), None)
        if row is None:
            problems.append(f"{name} is used by {', '.join(sorted(folders))} but is not in THIRD_PARTY.md")
        elif set(row["folders"].split(", ")) != folders:
            problems.append(f"{name}: THIRD_PARTY.md says {row['folders']}, but it is used by {', '.join(sorted(folders))}")
    for part, row in table.items():
        # "npm esbuild" and "PyPI …" are of other registries, and pinned where they are fetched.
        for package in (name for name in row["packages"].split(", ") if " " not in name):
            version = installed(package)
            if not version or row["version"] == "any":
                continue
            if row["version"] not in version:
                problems.append(f"{part}: THIRD_PARTY.md says {row['version']}, {package} is {version}")
    header = (ROOT / "third_party/duckdb/duckdb.h")
    setup = (ROOT / "scripts/setup").read_text()
    if not header.exists() or f"duckdb {table['DuckDB']['version']}" not in setup:
        problems.append("DuckDB: the version of THIRD_PARTY.md is not the one of scripts/setup")
    for problem in problems:
        print(problem)
    print(f"third party: {len(table)} parts, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
