#include "replica/commands.h"

namespace kehu::replica {

void Commands::expect(Sequence record, std::shared_ptr<Answer> answer) {
  const std::lock_guard lock(mutex_);
  if (!closed_.ok()) return answer->set_value(closed_);
  waiting_.emplace(record, std::move(answer));
}

void Commands::finish(absl::Span<shard::CommandResult> results) {
  if (results.empty()) return;
  const std::lock_guard lock(mutex_);
  for (shard::CommandResult& result : results) {
    const auto it = waiting_.find(result.sequence);
    if (it == waiting_.end()) continue;
    it->second->set_value(std::move(result.outcome));
    waiting_.erase(it);
  }
}

void Commands::close(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  closed_ = why;
  for (auto& [record, answer] : waiting_) answer->set_value(why);
  waiting_.clear();
}

}  // namespace kehu::replica
