#include "trace/span.h"

#include <algorithm>

#include "trace/tracer.h"

namespace kehu::trace {

ActiveSpan Link::child(std::string_view name) const {
  if (tracer_ == nullptr) return {};
  Span span;
  span.name = name;
  span.trace = trace_;
  span.parent = span_;
  return {*tracer_, std::move(span)};
}

ActiveSpan::ActiveSpan(Tracer& tracer, Span begun)
    : work_(std::make_unique<Work>(Work{tracer, std::move(begun)})) {
  work_->span.id = new_span_id();
  work_->span.began_ns = now_ns();
}

ActiveSpan& ActiveSpan::operator=(ActiveSpan&& other) noexcept {
  end();
  work_ = std::move(other.work_);
  return *this;
}

Link ActiveSpan::link() const {
  return work_ == nullptr ? Link() : Link(work_->tracer, work_->span.trace, work_->span.id);
}

Link ActiveSpan::parent() const {
  return work_ == nullptr ? Link() : Link(work_->tracer, work_->span.trace, work_->span.parent);
}

void ActiveSpan::rename(std::string name) {
  if (work_ != nullptr) work_->span.name = std::move(name);
}

void ActiveSpan::set(std::string_view name, int64_t value) {
  if (work_ != nullptr) work_->span.attributes.push_back({name, value});
}

void ActiveSpan::set(std::string_view name, std::string value) {
  if (work_ != nullptr) work_->span.attributes.push_back({name, std::move(value)});
}

void ActiveSpan::fail() {
  if (work_ != nullptr) work_->span.failed = true;
}

void ActiveSpan::end() {
  if (work_ == nullptr) return;
  const std::unique_ptr<Work> work = std::move(work_);
  // The clock of the system may have been set back meanwhile.
  work->span.ended_ns = std::max(work->span.began_ns, now_ns());
  work->tracer.take(std::move(work->span));
}

ActiveSpan background(Tracer* tracer, std::string_view name, Choice choice) {
  return tracer == nullptr ? ActiveSpan() : tracer->root(name, choice);
}

}  // namespace kehu::trace
