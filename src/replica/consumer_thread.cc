#include "replica/consumer_thread.h"

#include "os/thread_name.h"

namespace kehu::replica {
namespace {

constexpr Duration kPatience = Duration::seconds(1);
constexpr size_t kSliceBytes = 256;  // of a slice without events

}  // namespace

ConsumerThread::ConsumerThread(Consumers& consumers, Options options)
    : consumers_(consumers), options_(std::move(options)), queue_(options_.queue_bytes) {
  thread_ = std::thread([this] { run(); });
  consumers_.add(*this);
}

ConsumerThread::~ConsumerThread() {
  consumers_.remove(*this);
  queue_.close();
  thread_.join();
}

// A full queue drops the slice instead of waiting, because the apply thread is the one who would wait. The
// next slice that finds room says how many events were missed.
void ConsumerThread::take(const std::shared_ptr<const AppliedSlice>& slice) {
  Item item{slice, missed_};
  missed_ = queue_.try_push(item, slice->size + kSliceBytes) ? 0 : missed_ + slice->events.size();
}

void ConsumerThread::run() {
  os::name_this_thread(options_.thread_name);
  while (!queue_.closed_and_empty()) {
    const std::optional<Item> item = queue_.pop(kPatience);
    if (item) options_.consume(*item->slice, item->missed);
  }
}

}  // namespace kehu::replica
