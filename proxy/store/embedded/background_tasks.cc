#include "proxy/store/embedded/background_tasks.h"

#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {

BackgroundTasks::~BackgroundTasks() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    asked_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool BackgroundTasks::is_full() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() >= kTasksMax;
}

void BackgroundTasks::Run(Asker& asker, Task task) {
  const std::lock_guard lock(mutex_);
  INVARIANT(!is_ending_);
  ++asker.unanswered;
  queue_.push_back({&asker, std::move(task)});
  if (!thread_.joinable()) thread_ = std::thread([this] { Turn(); });
  asked_.notify_one();
}

void BackgroundTasks::Leave(Asker& asker) {
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [&] { return asker.unanswered == 0; });
}

void BackgroundTasks::Turn() {
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [this] { return !queue_.empty() || is_ending_; });
    if (queue_.empty()) return;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    entry.asker->loop->Post(entry.task());
    lock.lock();
    // From here on the asker may be gone.
    if (--entry.asker->unanswered == 0) answered_.notify_all();
  }
}

}  // namespace idem::store
