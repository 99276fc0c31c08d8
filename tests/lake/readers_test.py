#!/usr/bin/env python3
"""Other readers and writers of Delta Lake meet our tables: delta-rs and DuckDB's delta extension read the rows that
we read, before and after compaction, checkpoints and their own changes; we read what they leave.

usage: readers_test.py LAKE_SAMPLE VENV_DIRECTORY"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PACKAGES = ["deltalake==1.6.6", "duckdb==1.4.4", "duckdb-ext-delta==1.4.4.20260205", "pyarrow==26.0.1"]
SKIPPED = 77
DIGEST = """SELECT concat_ws(' ', count(*), count(DISTINCT sequence), md5(string_agg(concat_ws('|', event, type,
customer_id, part, epoch_us(time), source, channel, message_id, properties, identifiers, sequence, project, dt), '~'
ORDER BY sequence))) FROM rows"""


def enter_environment(directory):
    """Runs this script again with an interpreter that has the packages."""
    python = directory / "bin" / "python"
    if pathlib.Path(sys.prefix) == directory:
        return
    marker = directory / "complete"
    if not marker.exists() or marker.read_text() != "\n".join(PACKAGES):
        for command in ([sys.executable, "-m", "venv", directory],
                        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]):
            if subprocess.run(command, timeout=400).returncode != 0:
                print("SKIPPED: lake_readers: PyPI cannot be reached, so no other Delta reader was compared")
                sys.exit(SKIPPED)
        marker.write_text("\n".join(PACKAGES))
    os.execv(python, [str(python), *sys.argv])


class Lake:
    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.events = f"{directory}/lake/events"
        self.moves = f"{directory}/lake/identity_log"

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, last):
        self.run("write", self.directory, str(last))

    def read(self):
        return self.run("read", self.directory)


def read_with_delta_rs(table):
    import deltalake
    import duckdb
    rows = deltalake.DeltaTable(table).to_pyarrow_table()
    connection = duckdb.connect()
    connection.register("rows", rows)
    return connection.execute(DIGEST).fetchone()[0]


def duckdb_with_delta():
    import duckdb
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    extension = next(pathlib.Path(sys.prefix).rglob("delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    return connection


def read_with_duckdb(table):
    return duckdb_with_delta().execute(f"WITH rows AS (FROM delta_scan('{table}')) {DIGEST}").fetchone()[0]


def expect_same(lake, moment):
    ours = lake.read()
    assert read_with_delta_rs(lake.events) == ours, f"delta-rs differs {moment}"
    assert read_with_duckdb(lake.events) == ours, f"duckdb-delta differs {moment}"
    print(f"ok: {moment}: {ours}")
    return ours


def check_statistics(lake):
    """Skipping by statistics must not lose rows: every bound holds for every row of its file."""
    import deltalake
    import pyarrow
    import pyarrow.parquet
    table = deltalake.DeltaTable(lake.events)
    seen = 0
    for action in pyarrow.table(table.get_add_actions(flatten=True)).to_pylist():
        file = pyarrow.parquet.read_table(f"{lake.events}/{action['path']}", partitioning=None)
        assert file.num_rows == action["num_records"]
        for column in ("sequence", "customer_id", "event", "dt", "message_id"):
            values = file.column(column).to_pylist()
            assert action[f"min.{column}"] <= min(values), (column, action)
            assert action[f"max.{column}"] >= max(values), (column, action)
            assert action[f"null_count.{column}"] == 0
            seen += 1
    assert seen > 0
    connection = duckdb_with_delta()
    for predicate, want in (("sequence = 777", 1), ("time >= TIMESTAMPTZ '2026-02-01 00:00:00+00'", 500),
                            ("month = '2026-01'", 500), ("customer_id = '000000000000abcd0000000000000064'", 200)):
        got = connection.execute(f"SELECT count(*) FROM delta_scan('{lake.events}') WHERE {predicate}").fetchone()[0]
        assert got == want, (predicate, got)
    print("ok: statistics hold")


def main():
    program, environment = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
    enter_environment(environment)
    import deltalake
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(program, directory)
        lake.write(300)
        expect_same(lake, "after three commits")
        lake.write(1000)
        expect_same(lake, "after compaction and a checkpoint")
        check_statistics(lake)
        assert deltalake.DeltaTable(lake.events).transaction_version("kehu") == 1000
        assert deltalake.DeltaTable(lake.moves).to_pyarrow_table().num_rows == 10
        protocol = deltalake.DeltaTable(lake.events).protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)

        lake.write(1600)
        before = expect_same(lake, "after more commits")
        table = deltalake.DeltaTable(lake.events)
        metrics = table.optimize.compact()
        assert metrics["numFilesRemoved"] > 0, metrics
        assert expect_same(lake, "after delta-rs compacted") == before
        lake.write(2000)
        before = expect_same(lake, "after writing on top of that")
        table = deltalake.DeltaTable(lake.events)
        table.create_checkpoint()
        assert expect_same(lake, "from delta-rs's checkpoint") == before
        kept = set(table.file_uris())
        table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        assert set(deltalake.DeltaTable(lake.events).file_uris()) == kept
        lake.write(2500)
        expect_same(lake, "after delta-rs vacuumed")
        versions = [entry["version"] for entry in deltalake.DeltaTable(lake.events).history()]
        assert versions == sorted(versions, reverse=True)
        latest = json.loads(pathlib.Path(f"{lake.events}/_delta_log/_last_checkpoint").read_text())
        assert latest["version"] <= deltalake.DeltaTable(lake.events).version()


if __name__ == "__main__":
    main()
