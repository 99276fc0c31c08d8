#!/usr/bin/env python3
"""Includes in src/ go strictly downward in the table of docs/ARCHITECTURE.md, and each third-party library is
included by one folder."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+) \| (\w+) \|")
OWN = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/')
OTHER = re.compile(r"^\s*#\s*include\s+<([^>]+)>|^\s*#\s*include\s+\"((?:absl|duckdb)[^\"]*)\"")

# Headers that any folder may use: the language, the system's C headers, and the vocabulary library.
SHARED = re.compile(r"^(absl/|gtest/|gmock/|[a-z_]+$|sys/|linux/|netinet/|arpa/|[a-z_]+\.h$)")
# …but of those, C headers of libraries belong to one folder each.
LIBRARY_C_HEADERS = {"duckdb.h", "gcrypt.h", "zlib.h", "zstd.h", "xxhash.h", "simdjson.h", "argon2.h"}


def layers():
    table = {}
    for line in (ROOT / "docs/ARCHITECTURE.md").read_text().splitlines():
        if match := ROW.match(line):
            table[match[2]] = int(match[1])
    return table


def library_of(header):
    return header if header in LIBRARY_C_HEADERS else header.split("/")[0]


def main():
    layer = layers()
    problems = []
    users = collections.defaultdict(set)
    sources = sorted((ROOT / "src").rglob("*.h")) + sorted((ROOT / "src").rglob("*.cc"))
    for path in sources:
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in layer:
            problems.append(f"{folder}/ is not in the table of docs/ARCHITECTURE.md")
            continue
        is_test = path.name.endswith("_test.cc")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            if match := OWN.match(line):
                used = match[1]
                if used in layer and used != folder and layer[used] >= layer[folder] and not is_test:
                    problems.append(f"{place}: {folder} (layer {layer[folder]}) includes {used} (layer {layer[used]})")
            elif match := OTHER.match(line):
                header = match[1] or match[2]
                if header in LIBRARY_C_HEADERS or not SHARED.match(header):
                    if not is_test:
                        users[library_of(header)].add(folder)
    for library, folders in sorted(users.items()):
        if len(folders) > 1:
            problems.append(f"<{library}> is included by {', '.join(sorted(folders))}: one folder hides a library")
    for problem in sorted(set(problems)):
        print(problem)
    print(f"layers: {len(sources)} files, {len(layer)} folders, {len(problems)} problems")
    return 1 if problems or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
