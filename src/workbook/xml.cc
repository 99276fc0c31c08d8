#include "workbook/xml.h"

#include <expat.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace kehu::workbook {
namespace {

std::string_view local(const char* name) {
  const std::string_view whole(name);
  return whole.substr(whole.find(':') == whole.npos ? 0 : whole.find(':') + 1);
}

// What a parser takes. Expat keeps open elements, unfinished tags and each name it ever saw: all of them are
// as many and as long as a document wants. Its functions for memory are not told whose it is, so each call
// says so before.
class Memory {
 public:
  // Of one call.
  class Use {
   public:
    explicit Use(Memory& memory) { current_ = &memory; }
    ~Use() { current_ = nullptr; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
  };

  bool exhausted() const { return exhausted_; }

  static const XML_Memory_Handling_Suite kSuite;

 private:
  struct alignas(std::max_align_t) Head {
    size_t size;
  };

  static void* allocate(void* from, size_t size) {
    Head* const old = from == nullptr ? nullptr : static_cast<Head*>(from) - 1;
    const size_t before = old == nullptr ? 0 : old->size;
    Memory& memory = *current_;
    if (size > kBytesMax || memory.bytes_ - before + size > kBytesMax) {
      memory.exhausted_ = true;
      return nullptr;
    }
    auto* const head = static_cast<Head*>(std::realloc(old, sizeof(Head) + size));
    if (head == nullptr) return nullptr;
    memory.bytes_ = memory.bytes_ - before + size;
    head->size = size;
    return head + 1;
  }
  static void give_back(void* from) {
    if (from == nullptr) return;
    Head* const head = static_cast<Head*>(from) - 1;
    current_->bytes_ -= head->size;
    std::free(head);
  }

  static constexpr size_t kBytesMax = 64u << 20;
  static thread_local Memory* current_;

  size_t bytes_ = 0;
  bool exhausted_ = false;
};

thread_local Memory* Memory::current_ = nullptr;

const XML_Memory_Handling_Suite Memory::kSuite = {
    .malloc_fcn = [](size_t size) { return allocate(nullptr, size); },
    .realloc_fcn = [](void* from, size_t size) { return allocate(from, size); },
    .free_fcn = [](void* from) { give_back(from); }};

}  // namespace

struct XmlParser::State {
  XML_Parser parser = nullptr;
  Memory memory;
  XmlVisitor* visitor = nullptr;
  std::string part;
  int depth = 0;
  bool too_deep = false;
  // Since the visitor was called last. Expat begins an unfinished tag anew with each piece.
  size_t quiet_bytes = 0;
  bool has_type = false;

  // Expat calls on until the piece ends unless it is told to stop.
  void stop_unless(bool good) {
    if (!good) XML_StopParser(parser, XML_FALSE);
  }
  void begin(const char* name, const char** attributes) {
    quiet_bytes = 0;
    too_deep = too_deep || ++depth > XmlParser::kDepthMax;
    if (too_deep) return stop_unless(false);
    visitor->on_begin(local(name), Attributes(attributes));
    stop_unless(visitor->status().ok());
  }
  void end(const char* name) {
    quiet_bytes = 0;
    --depth;
    visitor->on_end(local(name));
    stop_unless(visitor->status().ok());
  }
  void text(std::string_view text) {
    quiet_bytes = 0;
    visitor->on_text(text);
    stop_unless(visitor->status().ok());
  }
};

const absl::Status& XmlVisitor::status() const {
  static const absl::Status kGood;
  return kGood;
}

std::string_view Attributes::find(std::string_view name) const {
  for (const char** at = list_; *at != nullptr; at += 2) {
    if (local(at[0]) == name) return at[1];
  }
  return {};
}

XmlParser::XmlParser(XmlVisitor& visitor, std::string part) : state_(std::make_unique<State>()) {
  const Memory::Use use(state_->memory);
  state_->parser = XML_ParserCreate_MM(nullptr, &Memory::kSuite, nullptr);
  KEHU_CHECK(state_->parser != nullptr);
  state_->visitor = &visitor;
  state_->part = std::move(part);
  XML_SetUserData(state_->parser, state_.get());
  XML_SetElementHandler(
      state_->parser,
      [](void* data, const char* name, const char** attributes) {
        static_cast<State*>(data)->begin(name, attributes);
      },
      [](void* data, const char* name) { static_cast<State*>(data)->end(name); });
  XML_SetCharacterDataHandler(state_->parser, [](void* data, const char* text, int size) {
    static_cast<State*>(data)->text({text, static_cast<size_t>(size)});
  });
  XML_SetStartDoctypeDeclHandler(state_->parser, [](void* data, const char*, const char*, const char*, int) {
    auto& state = *static_cast<State*>(data);
    state.has_type = true;
    XML_StopParser(state.parser, XML_FALSE);
  });
}

XmlParser::~XmlParser() {
  const Memory::Use use(state_->memory);
  XML_ParserFree(state_->parser);
}

absl::Status XmlParser::feed(std::string_view piece) { return parse(piece, false); }
absl::Status XmlParser::finish() { return parse({}, true); }

absl::Status XmlParser::strange_tags() const {
  return failure(absl::StatusCode::kResourceExhausted, state_->part,
                 " has tags that no workbook has, of too many names or too long: save the workbook again");
}

absl::Status XmlParser::parse(std::string_view piece, bool last) {
  if (state_->quiet_bytes > kTagBytesMax) return strange_tags();
  state_->quiet_bytes += piece.size();
  const Memory::Use use(state_->memory);
  if (XML_Parse(state_->parser, piece.data(), static_cast<int>(piece.size()), last ? 1 : 0) !=
      XML_STATUS_ERROR)
    return absl::OkStatus();
  if (const absl::Status& wrong = state_->visitor->status(); !wrong.ok()) return wrong;
  if (state_->too_deep) {
    return failure(absl::StatusCode::kInvalidArgument, state_->part, " nests elements deeper than ",
                   kDepthMax, ", which no workbook does: save the workbook again");
  }
  if (state_->memory.exhausted()) return strange_tags();
  if (state_->has_type)
    return failure(absl::StatusCode::kInvalidArgument,
                   "the workbook declares a document type, which none has");
  return failure(absl::StatusCode::kDataLoss, "the workbook's XML is damaged at line ",
                 static_cast<uint64_t>(XML_GetCurrentLineNumber(state_->parser)), ": ",
                 XML_ErrorString(XML_GetErrorCode(state_->parser)));
}

absl::Status parse_xml(std::string_view document, XmlVisitor& visitor, std::string part) {
  XmlParser parser(visitor, std::move(part));
  if (auto status = parser.feed(document); !status.ok()) return status;
  return parser.finish();
}

}  // namespace kehu::workbook
