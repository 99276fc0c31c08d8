#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lake/lake_test_support.h"

// For tests/lake, which lets other readers and writers of Delta Lake meet our tables:
//   lake_sample write DIR LAST   appends the sample events up to sequence LAST, in small commits, with
//   compaction lake_sample read DIR         prints count, distinct sequences and a digest of all rows
namespace kehu::lake {
namespace {

int fail(const absl::Status& status) {
  std::fprintf(stderr, "lake_sample: %s\n", message_of(status).c_str());
  return 1;
}

int write(Lake& lake, uint64_t last) {
  SampleEvents events;
  for (uint64_t next = lake.committed().value() + 1; next <= last; next += 100) {
    const uint64_t end = std::min(next + 100, last + 1);
    const std::vector<Move> moves = {{Sequence(next), Instant::from_seconds(SampleEvents::kStart),
                                      SampleEvents::part(next), SampleEvents::customer(next + 1)}};
    lake.move(moves);
    lake.append(events.rows(next, end));
    absl::Status status = lake.commit(Sequence(end - 1));
    if (status.ok()) status = lake.maintain().status();
    if (!status.ok()) return fail(status);
  }
  return 0;
}

int read(const Lake& lake) {
  SnapshotReader reader;
  for (const std::string& line : reader.query(*lake.snapshot(),
                                              "SELECT concat_ws(' ', count(*), count(DISTINCT sequence), "
                                              "md5(string_agg(concat_ws('|', event, type, "
                                              "customer_id, part, epoch_us(time), source, channel, "
                                              "message_id, properties, identifiers, sequence, "
                                              "project, dt), '~' ORDER BY sequence))) FROM rows")) {
    std::printf("%s\n", line.c_str());
  }
  return 0;
}

int run(int argc, char** argv) {
  if (argc < 3) return 2;
  LakeOptions options = sample_options(argv[2]);
  options.small_files = 4;
  options.checkpoint_every = 10;
  auto lake = Lake::open(options);
  if (!lake.ok()) return fail(lake.status());
  if (std::string_view(argv[1]) == "write" && argc == 4)
    return write(**lake, std::strtoull(argv[3], nullptr, 10));
  return read(**lake);
}

}  // namespace
}  // namespace kehu::lake

int main(int argc, char** argv) { return kehu::lake::run(argc, argv); }
