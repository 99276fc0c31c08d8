#include "debugger/stored_in_clear.h"

#include "base/text.h"
#include "json/index.h"
#include "model/personal_names.h"
#include "model/personal_values.h"
#include "seal/masked_text.h"
#include "seal/opener.h"

namespace kehu::debugger {
namespace {

constexpr size_t kWarningsMax = 10;

std::string_view described(PersonalKind kind) {
  switch (kind) {
    case PersonalKind::kPhone:
      return "a phone number";
    case PersonalKind::kEmail:
      return "an e-mail address";
    default:
      return "the number of an ID card";
  }
}

class Finder {
 public:
  void look(std::string_view part, std::string_view text) {
    if (text.size() < 3 || index_.scan(text)) return;
    std::string key;
    for (uint32_t at = 0; at < index_.size() && found_.size() < kWarningsMax; ++at) {
      const json::Index::Node& node = index_[at];
      if (node.is_key) {
        key = std::string(index_.text_of(node, scratch_));
      } else if (node.kind == json::Kind::kString) {
        look_at(part, key, index_.text_of(node, scratch_));
      } else if (node.kind == json::Kind::kNumber) {
        look_at(part, key, index_.raw(node));
      }
    }
  }

  void look_at_name(std::string_view what, std::string_view text) {
    const PersonalKind kind = personal_kind_inside(text);
    if (kind == PersonalKind::kNone || found_.size() == kWarningsMax) return;
    found_.push_back(cat("stored in clear: ", what, " has ", described(kind), " in it: send it without"));
  }

  std::vector<std::string> take() { return std::move(found_); }

 private:
  void look_at(std::string_view part, const std::string& key, std::string_view value) {
    if (seal::Opener::is_sealed(value)) return;
    const PersonalKind whole = personal_kind(value);
    const PersonalKind kind = whole == PersonalKind::kNone ? personal_kind_inside(value) : whole;
    if (kind == PersonalKind::kNone) return;
    if (is_bare_number(value) && name_kind(key) == NameKind::kPlainNumber) return;
    // A key can be an address itself.
    const std::string shown = seal::masked_text(key, Settings{}, 128);
    found_.push_back(whole == PersonalKind::kNone
                         ? cat("stored in clear: ", part, ".", shown, " has ", described(kind),
                               " in it: declare \"", shown, "\" in personal_fields, or set free_text")
                         : cat("stored in clear: ", part, ".", shown, " is ", described(kind), ": declare \"",
                               shown, "\" in personal_fields, or take it out of the exceptions"));
  }

  json::Index index_;
  std::string scratch_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> stored_in_clear(const Event& event) {
  Finder finder;
  finder.look_at_name("the name of the event", event.name);
  finder.look_at_name("the message id", event.message_id);
  finder.look("properties", event.properties);
  finder.look("traits", event.traits);
  finder.look("context", event.context);
  return finder.take();
}

}  // namespace kehu::debugger
