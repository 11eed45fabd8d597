// All workers of a process, each on a thread of its own. They start, reload, drain and end
// together.
#pragma once

#include <memory>
#include <vector>

#include "proxy/app/worker.h"

namespace idem::app {

class WorkerPool {
 public:
  explicit WorkerPool(SharedState& shared);
  ~WorkerPool();

  /// Starts the configured number of workers. Returns when every listener is bound. After an error
  /// no worker is left running.
  Status Start(const std::shared_ptr<const config::Config>& config);
  [[nodiscard]] const std::vector<event::Endpoint>& bound() const { return bound_; }

  void Apply(const std::shared_ptr<const config::Config>& config);
  void Drain(Duration grace);

  /// Called after Drain(). Waits until no worker has an exchange left. All loops still exist, so
  /// that stores may still post to them.
  void WaitQuiet();
  /// Called after WaitQuiet(). Ends the threads.
  void Join();

 private:
  struct WorkerThread;
  void Run(WorkerThread& running, const std::shared_ptr<const config::Config>& config,
           const std::vector<event::Endpoint>& endpoints);

  SharedState& shared_;
  std::vector<std::unique_ptr<WorkerThread>> running_;
  std::vector<event::Endpoint> bound_;
};

}  // namespace idem::app
