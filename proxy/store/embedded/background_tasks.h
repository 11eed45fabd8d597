// A thread for tasks that may wait for the disk and are not urgent: an operator's walks over the
// records, and the notes. Neither a loop nor the writer waits for it.
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
  static constexpr std::size_t kTasksMax = 64;

  /// The loop that sends tasks. The lock of the tasks guards its members.
  struct Asker {
    Loop* loop = nullptr;
    std::size_t unanswered = 0;
  };
  /// Runs on the thread; the function that it returns runs on the asker's loop.
  using Task = Function<Function<void()>()>;

  BackgroundTasks() = default;
  /// Runs all tasks, and joins the thread.
  ~BackgroundTasks();
  BackgroundTasks(const BackgroundTasks&) = delete;
  BackgroundTasks& operator=(const BackgroundTasks&) = delete;

  /// Any thread.
  [[nodiscard]] bool is_full() const;
  /// Any thread. The first task starts the thread.
  void Run(Asker& asker, Task task);
  /// Waits until every task of `asker` is done: its loop may end afterwards.
  void Leave(Asker& asker);

 private:
  struct Entry {
    Asker* asker = nullptr;
    Task task;
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
