#include "notation/parse.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "rule/test_random_rules.h"

namespace kehu::notation {
namespace {

std::string read_tree(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(std::string(KEHU_SOURCE_DIR) + "/" + name).rdbuf();
  return text.str();
}

// The blocks of a page that are indented by four blanks and begin with a word.
std::vector<std::string> blocks_of(const std::string& page, std::string_view first_word) {
  std::vector<std::string> blocks;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("    ");
    if (indented && !inside) blocks.emplace_back();
    if (indented) blocks.back().append(line.substr(4)).append("\n");
    inside = indented;
  }
  std::erase_if(blocks,
                [&](const std::string& block) { return block.find(first_word) == std::string::npos; });
  return blocks;
}

TEST(Parse, ReadsTheExamplesOfTheGuide) {
  const auto blocks = blocks_of(read_tree("docs/rules.md"), "segment ");
  ASSERT_FALSE(blocks.empty());
  for (const std::string& block : blocks) {
    std::vector<Definition> definitions;
    const auto problem = parse_file(block, definitions);
    ASSERT_FALSE(problem) << problem->place.line << ":" << problem->place.column << " " << problem->message
                          << " " << problem->expected << "\n"
                          << block;
    EXPECT_FALSE(definitions.empty());
  }
}

TEST(RandomRules, SameSeedSameTrees) {
  rule::RandomRules a(1, {}), b(1, {});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(a.segment("x"), b.segment("x"));
  EXPECT_EQ(a.tag("x"), b.tag("x"));
}

}  // namespace
}  // namespace kehu::notation
