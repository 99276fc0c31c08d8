#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "notation/parse.h"
#include "rule/tree_json.h"

namespace kehu::engine {

// The rules of a text, each by a record of its own.
inline void define_rules(Engine& engine, std::string_view text) {
  std::vector<rule::Definition> definitions;
  const auto problem = notation::parse_file(text, definitions);
  ASSERT_FALSE(problem) << problem->message;
  for (const rule::Definition& definition : definitions) {
    const std::string body = rule::to_json(definition);
    const Definition change{
        .kind = rule::to_string(definition.kind), .name = definition.name, .body = body, .actor = "li"};
    const auto defined = engine.define({&change, 1});
    ASSERT_TRUE(defined.ok()) << defined.status();
  }
}

}  // namespace kehu::engine
