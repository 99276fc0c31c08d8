#include "rows/json_path.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "json/fields.h"

namespace kehu::rows {
namespace {

constexpr size_t kStepsMax = 64;

// The reader goes forwards only, so for an index from the end the last so many elements are kept until the
// end is known.
std::optional<json::RawValue> element_at(std::string_view array, int index) {
  std::vector<json::RawValue> last;  // as many as a negative index reaches back
  const size_t back = index < 0 ? static_cast<size_t>(-index) : 0;
  json::FieldReader reader(array);
  size_t at = 0;
  for (json::Field field; reader.next(field); ++at) {
    if (index >= 0 && at == static_cast<size_t>(index)) return field.value;
    if (back == 0) continue;
    if (last.size() == back) last.erase(last.begin());
    last.push_back(field.value);
  }
  if (back == 0 || last.size() < back) return std::nullopt;
  return last.front();
}

}  // namespace

absl::StatusOr<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  if (auto status = path.append_steps(text, text); !status.ok()) return status;
  return path;
}

absl::StatusOr<JsonPath> JsonPath::parse_rest(std::string_view text) {
  JsonPath path;
  const std::string_view whole = text;
  while (text.starts_with('[')) {
    auto step = bracket(text, whole);
    if (!step.ok()) return step.status();
    path.steps_.push_back(*std::move(step));
  }
  if (text.empty()) return path;
  if (text.front() != '.') return failure(absl::StatusCode::kInvalidArgument, "\"", whole, "\" is no path");
  if (auto status = path.append_steps(text.substr(1), whole); !status.ok()) return status;
  return path;
}

// Takes "[]" or "[7]" off the front.
absl::StatusOr<JsonPath::Step> JsonPath::bracket(std::string_view& text, std::string_view whole) {
  const size_t close = text.find(']');
  if (close == text.npos)
    return failure(absl::StatusCode::kInvalidArgument, "the path \"", whole, "\" lacks a ]");
  const std::string_view inner = text.substr(1, close - 1);
  text.remove_prefix(close + 1);
  if (inner.empty()) return Step{.kind = Step::Kind::kEach};
  constexpr int kFarthest = 10'000;
  Step step{.kind = Step::Kind::kIndex};
  const auto [end, error] = std::from_chars(inner.data(), inner.data() + inner.size(), step.index);
  if (error != std::errc() || end != inner.data() + inner.size() || std::abs(step.index) > kFarthest) {
    return failure(absl::StatusCode::kInvalidArgument, "in the path \"", whole,
                   "\", brackets hold nothing (every element) or a number such as 0 (the first) or -1 (the "
                   "last)");
  }
  return step;
}

absl::Status JsonPath::append_steps(std::string_view text, std::string_view whole) {
  while (true) {
    const size_t dot = std::min(text.find('.'), text.size());
    std::string_view name = text.substr(0, dot);
    std::string_view brackets = name.substr(std::min(name.find('['), name.size()));
    name.remove_suffix(brackets.size());
    if (name.empty())
      return failure(absl::StatusCode::kInvalidArgument, "the path \"", whole, "\" has an empty step");
    steps_.push_back(Step{.kind = Step::Kind::kMember, .name = std::string(name)});
    while (!brackets.empty()) {
      if (brackets.front() != '[')
        return failure(absl::StatusCode::kInvalidArgument, "the path \"", whole, "\" has text behind a ]");
      auto step = bracket(brackets, whole);
      if (!step.ok()) return step.status();
      steps_.push_back(*std::move(step));
    }
    if (steps_.size() > kStepsMax)
      return failure(absl::StatusCode::kInvalidArgument, "a path has more than ", kStepsMax, " steps");
    if (dot == text.size()) return absl::OkStatus();
    text.remove_prefix(dot + 1);
  }
}

Cell JsonPath::cell(const FileSpec& file, const json::RawValue& root, std::string& scratch) const {
  // Exports that are flattened have members whose names are whole paths: {"user.id": 1}.
  const auto flat = [&]() -> Cell {
    if (steps_.size() < 2 || root.kind != json::Kind::kObject) return {};
    std::string name;
    for (const Step& step : steps_) {
      if (step.kind != Step::Kind::kMember) return {};
      name.append(name.empty() ? "" : ".").append(step.name);
    }
    const auto found = json::find_field(root.raw, name);
    return found ? json_cell(file, *found, scratch) : Cell{};
  };
  json::RawValue value = root;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    std::optional<json::RawValue> found;
    if (step.kind == Step::Kind::kEach) {
      scratch.assign("[");
      if (!collect(file, i, value, false, scratch)) return {};
      scratch.push_back(']');
      return {CellKind::kList, scratch};
    }
    if (step.kind == Step::Kind::kMember && value.kind == json::Kind::kObject)
      found = json::find_field(value.raw, step.name);
    if (step.kind == Step::Kind::kIndex && value.kind == json::Kind::kArray)
      found = element_at(value.raw, step.index);
    if (!found) return flat();
    value = *found;
  }
  return json_cell(file, value, scratch);
}

// Appends what the steps from `step` on reach. False when there was not even a list. Recursive over the
// steps, which a person wrote, not over the input.
bool JsonPath::collect(const FileSpec& file, size_t step, json::RawValue value, bool in_list,
                       std::string& out) const {
  for (; step < steps_.size(); ++step) {
    const Step& next = steps_[step];
    std::optional<json::RawValue> found;
    if (next.kind == Step::Kind::kMember && value.kind == json::Kind::kObject)
      found = json::find_field(value.raw, next.name);
    if (next.kind == Step::Kind::kIndex && value.kind == json::Kind::kArray)
      found = element_at(value.raw, next.index);
    if (next.kind == Step::Kind::kEach) {
      if (value.kind == json::Kind::kNull) return false;
      if (value.kind != json::Kind::kArray) return collect(file, step + 1, value, true, out), true;
      json::FieldReader reader(value.raw);
      for (json::Field field; reader.next(field);) collect(file, step + 1, field.value, true, out);
      return true;
    }
    if (!found) {
      if (in_list && ends_alone(step)) append_element({}, out);
      return in_list;
    }
    value = *found;
  }
  std::string scratch;
  append_element(json_cell(file, value, scratch), out);
  return true;
}

// No further list is on the way: the path reaches one value or none.
bool JsonPath::ends_alone(size_t step) const {
  return std::none_of(steps_.begin() + static_cast<std::ptrdiff_t>(step), steps_.end(),
                      [](const Step& s) { return s.kind == Step::Kind::kEach; });
}

}  // namespace kehu::rows
