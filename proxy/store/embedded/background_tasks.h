// A thread for what may wait for the disk and is in no hurry: an operator's walks over the records,
// and the notes. Neither a loop nor the writer of claims waits for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "proxy/base/function.h"
#include "proxy/base/loop.h"

namespace idem::store {

class BackgroundTasks {
 public:
  static constexpr std::size_t kErrandsMax = 64;

  /// Who asks: one loop. Its members belong to the lock of the errands.
  struct Asker {
    Loop* loop = nullptr;
    std::size_t unanswered = 0;
  };
  /// Runs on the thread; what it gives runs on the asker's loop.
  using Task = Function<Function<void()>()>;

  BackgroundTasks() = default;
  /// Runs what was asked, and joins.
  ~BackgroundTasks();
  BackgroundTasks(const BackgroundTasks&) = delete;
  BackgroundTasks& operator=(const BackgroundTasks&) = delete;

  /// Any thread.
  [[nodiscard]] bool is_full() const;
  /// Any thread. The first errand starts the thread.
  void Run(Asker& asker, Task errand);
  /// Waits until nothing of `asker` is on its way: afterwards its loop may end.
  void Leave(Asker& asker);

 private:
  struct Entry {
    Asker* asker = nullptr;
    Task errand;
  };
  void Turn();

  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::condition_variable answered_;
  std::deque<Entry> queue_;  // under mutex_
  bool is_ending_ = false;   // under mutex_
  std::thread thread_;       // under mutex_ until the end
};

}  // namespace idem::store
