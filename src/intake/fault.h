#pragma once

#include <cstdint>
#include <string>

#include "json/index.h"
#include "model/rejection.h"

namespace kehu::intake {

// What is wrong with an event: the first thing found.
struct Fault {
  Reason reason = Reason::kInvalidJson;
  uint32_t node = 0;   // of the request's index
  std::string detail;  // what was found and what would be right, never a value
};

// Of a text that is no JSON.
inline Reason reason_of(const json::SyntaxError& error) {
  return error.code == json::SyntaxError::Code::kInvalidUtf8 ? Reason::kInvalidUtf8 : Reason::kInvalidJson;
}

// JSON Pointer (RFC 6901) from one node to a value in it.
std::string pointer_between(const json::Index& index, uint32_t from, uint32_t to);

}  // namespace kehu::intake
