#!/usr/bin/env python3
"""The rooms of src/ are what docs/ARCHITECTURE.md says: includes go strictly downward in its table, the order of
src/CMakeLists.txt and the DEPS of each folder say the same, each third-party library is included by one folder, and
no folder has more files than one can keep in mind."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+) \| (\w+) \|")
OWN = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/')
OTHER = re.compile(r"^\s*#\s*include\s+<([^>]+)>|^\s*#\s*include\s+\"((?:absl|duckdb)[^\"]*)\"")
DEPS = re.compile(r"^(kehu_library|kehu_tests)\(([^)]*)\)", re.M)

# Headers that any folder may use: the language, the system's C headers, and the vocabulary library.
SHARED = re.compile(r"^(absl/|gtest/|gmock/|[a-z_]+$|sys/|linux/|netinet/|arpa/|[a-z_]+\.h$)")
# …but of those, C headers of libraries belong to one folder each.
LIBRARY_C_HEADERS = {"duckdb.h", "gcrypt.h", "zlib.h", "zstd.h", "xxhash.h", "simdjson.h", "argon2.h", "zip.h", "expat.h"}

FILES_MAX = 25  # .h and .cc files of a folder, without its tests


def layers():
    """Folder → layer, in the table's order."""
    table = {}
    for line in (ROOT / "docs/ARCHITECTURE.md").read_text().splitlines():
        if match := ROW.match(line):
            table[match[2]] = int(match[1])
    return table


def library_of(header):
    """Boost is many libraries, and Beast several."""
    if header in LIBRARY_C_HEADERS:
        return header
    parts = header.split("/")
    return "/".join(parts[:{"boost": 2}.get(parts[0], 1) + (parts[:2] == ["boost", "beast"])])


def is_test(path):
    """Tests and what only tests use."""
    return path.stem.endswith(("_test", "_test_support")) or path.name.startswith("test_") or path.name == "testing.h"


def check_includes(layer, sources):
    """Problems, and by folder what its production files and its tests include."""
    problems = []
    users = collections.defaultdict(set)
    included = {folder: {False: set(), True: set()} for folder in layer}
    for path in sources:
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in layer:
            problems.append(f"{folder}/ is not in the table of docs/ARCHITECTURE.md")
            continue
        test = is_test(path)
        # What tests share goes downward as well; only they themselves may look up.
        upward = path.name.endswith("_test.cc")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            if match := OWN.match(line):
                used = match[1]
                if used not in layer or used == folder:
                    continue
                included[folder][test].add(used)
                if layer[used] >= layer[folder] and not upward:
                    problems.append(f"{place}: {folder} (layer {layer[folder]}) includes {used} (layer {layer[used]})")
            elif match := OTHER.match(line):
                header = match[1] or match[2]
                if (header in LIBRARY_C_HEADERS or not SHARED.match(header)) and not upward:
                    users[library_of(header)].add(folder)
    for library, folders in sorted(users.items()):
        if len(folders) > 1:
            problems.append(f"<{library}> is included by {', '.join(sorted(folders))}: one folder hides a library")
    return problems, included


def check_order(layer):
    """src/CMakeLists.txt names each folder once, none before one of a lower layer."""
    text = (ROOT / "src/CMakeLists.txt").read_text()
    order = re.sub(r"#.*", "", re.search(r"foreach\(folder ([^)]*)\)", text)[1]).split()
    problems = [f"src/CMakeLists.txt names {folder}, which the table does not" for folder in order if folder not in layer]
    problems += [f"src/CMakeLists.txt does not name {folder}" for folder in layer if folder not in order]
    problems += [f"src/CMakeLists.txt names {folder} twice" for folder in set(order) if order.count(folder) > 1]
    known = [folder for folder in order if folder in layer]
    for before, behind in zip(known, known[1:]):
        if layer[before] > layer[behind]:
            problems.append(f"src/CMakeLists.txt: {behind} (layer {layer[behind]}) stands behind {before} (layer {layer[before]})")
    return problems


def listed(folder):
    """The DEPS of a folder's library and of its tests; None for what it does not have."""
    lists = {"kehu_library": None, "kehu_tests": None}
    text = re.sub(r"#.*", "", (ROOT / "src" / folder / "CMakeLists.txt").read_text())
    for match in DEPS.finditer(text):
        name, arguments = match[1], match[2].split()
        if arguments[0] != folder:
            continue
        deps = arguments[arguments.index("DEPS") + 1:] if "DEPS" in arguments else []
        lists[name] = [one for i, one in enumerate(deps) if not {"LIBS", "SOURCES"} & set(deps[:i + 1])]
    return lists


def check_deps(layer, included):
    """DEPS are the folders that are included, no more and no fewer; of tests, those that the library has not."""
    problems = []
    for folder in layer:
        library = included[folder][False]
        want = {"kehu_library": library, "kehu_tests": included[folder][True] - library - {folder}}
        for name, deps in listed(folder).items():
            if deps is not None and deps != sorted(want[name]):
                problems.append(f"src/{folder}/CMakeLists.txt: DEPS of {name} are to be: {' '.join(sorted(want[name]))}")
    return problems


def check_widths(layer, sources):
    files = collections.Counter(path.relative_to(ROOT / "src").parts[0] for path in sources if not is_test(path))
    problems = []
    for folder in layer:
        if files[folder] > FILES_MAX:
            problems.append(f"{folder} has {files[folder]} files, more than {FILES_MAX}: it hides a second noun")
    return problems


def main():
    layer = layers()
    sources = sorted((ROOT / "src").rglob("*.h")) + sorted((ROOT / "src").rglob("*.cc"))
    missing = [folder for folder in layer if not (ROOT / "src" / folder / "CMakeLists.txt").exists()]
    problems = [f"src/{folder}/CMakeLists.txt is missing" for folder in missing]
    layer = {folder: number for folder, number in layer.items() if folder not in missing}
    found, included = check_includes(layer, sources)
    problems += found + check_order(layer) + check_deps(layer, included) + check_widths(layer, sources)
    for problem in sorted(set(problems)):
        print(problem)
    print(f"layers: {len(sources)} files, {len(layer)} folders, {len(problems)} problems")
    return 1 if problems or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
