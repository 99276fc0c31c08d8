#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rule/problem.h"

// Readable scripts on a virtual clock: what happens to whom and when, and what is to be true then
// (docs/scripts.md). For users' tests of their rules as well as for ours.
namespace kehu::script {

// Something that a script expected and that was not so, or that could not be done.
struct Failure {
  rule::Place place;
  std::string message;               // "expected u1 in 加购未支付 at …, but u1 is not"
  std::vector<std::string> reasons;  // of a segment or tag: what each part of the rule came to, indented
};

struct Report {
  size_t expectations = 0;
  std::vector<Failure> failures;
  bool broken = false;  // the last failure ended the script
};

// A line of JSON, without its end, for each change of a segment or tag (docs/scripts.md).
using ChangeSink = std::function<void(std::string_view line)>;

// Runs a script from its beginning to its end or to the first statement that cannot be done; expectations
// that fail do not stop it. `directory` is where the names of files in it begin.
Report run(std::string_view text, const std::string& directory, const ChangeSink& changes = {});

}  // namespace kehu::script
