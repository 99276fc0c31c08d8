#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/strong.h"

// Spans of Kehu's own work, as OpenTelemetry means them: what a request or a piece of background work spent
// its time on. Off unless a Tracer is made; then a small part of all work is recorded.
namespace kehu::trace {

class Tracer;

using TraceId = Hash128;  // zero: none
using SpanId = Strong<struct SpanIdTag, uint64_t>;

enum class Kind : uint8_t { kInternal = 1, kServer = 2 };  // the numbers of OTLP

// Names are literals. Values are never personal data, keys, or anything else that a caller chose freely.
struct Attribute {
  std::string_view name;
  std::variant<int64_t, std::string> value;
};

// A finished span.
struct Span {
  std::string name;
  Kind kind = Kind::kInternal;
  TraceId trace;
  SpanId id;
  SpanId parent;  // zero: a root
  int64_t began_ns = 0;
  int64_t ended_ns = 0;  // since 1970; not before began_ns
  std::vector<Attribute> attributes;
  bool failed = false;
};

class ActiveSpan;

// The place in a trace under which further work is recorded. Empty when nothing is recorded, which is nearly
// always. The tracer outlives it.
class Link {
 public:
  Link() = default;
  Link(Tracer& tracer, TraceId trace, SpanId span) : tracer_(&tracer), trace_(trace), span_(span) {}

  explicit operator bool() const { return tracer_ != nullptr; }
  // A span below, from now on; an empty one of an empty link.
  ActiveSpan child(std::string_view name) const;

 private:
  Tracer* tracer_ = nullptr;
  TraceId trace_;
  SpanId span_;
};

// A span in work, which ends when it is destroyed. Empty, as nearly always, it costs a test of its pointer.
// One thread at a time.
class ActiveSpan {
 public:
  ActiveSpan() = default;
  ActiveSpan(Tracer& tracer, Span begun);
  ActiveSpan(ActiveSpan&&) noexcept = default;
  ActiveSpan& operator=(ActiveSpan&& other) noexcept;
  ~ActiveSpan() { end(); }

  explicit operator bool() const { return work_ != nullptr; }
  Link link() const;    // for what is done inside
  Link parent() const;  // for what is done beside or behind it

  void rename(std::string name);
  void set(std::string_view name, int64_t value);
  void set(std::string_view name, std::string value);
  void fail();
  void end();
  void discard() { work_.reset(); }  // it was not worth a span

 private:
  struct Work {
    Tracer& tracer;
    Span span;
  };
  std::unique_ptr<Work> work_;
};

// Of what happens too often, a part is enough.
enum class Choice : uint8_t { kAlways, kByRatio };

// A trace of background work from now on, if there is a tracer and it records this one.
ActiveSpan background(Tracer* tracer, std::string_view name, Choice choice = Choice::kAlways);

}  // namespace kehu::trace
