#include "intake/fault.h"

#include "base/text.h"

namespace kehu::intake {
namespace {

void append_step(std::string_view key, std::string& pointer) {
  pointer.push_back('/');
  for (const char c : key) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
}

}  // namespace

std::string pointer_between(const json::Index& index, uint32_t from, uint32_t to) {
  std::string pointer;
  std::string scratch;
  while (from != to && from < index.size()) {
    const bool object = index[from].kind == json::Kind::kObject;
    const uint32_t stop = index[from].next;
    uint32_t at = from + 1;
    size_t position = 0;
    for (; at < stop; ++position) {
      const uint32_t value = object ? at + 1 : at;
      if (to < index[value].next) break;
      at = index[value].next;
    }
    if (at >= stop) break;
    if (object) {
      append_step(json::unescape(index.raw(index[at]), scratch), pointer);
      from = at + 1;
    } else {
      append_step(cat(position), pointer);
      from = at;
    }
    if (to < from) break;
  }
  return pointer;
}

}  // namespace kehu::intake
