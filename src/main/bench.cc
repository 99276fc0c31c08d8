#include "main/commands.h"

namespace kehu {

absl::Status run_bench(const BenchCommand&) { return absl::UnimplementedError("not yet"); }

}  // namespace kehu
