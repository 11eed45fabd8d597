// All workers of a process, each on its thread: started together, reloaded, drained and ended
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

  /// Starts as many as the configuration says; answers when every listener is bound, or why one is
  /// not (then none is left running).
  Status Start(const std::shared_ptr<const config::Config>& config);
  [[nodiscard]] const std::vector<event::Endpoint>& bound() const { return bound_; }

  void Apply(const std::shared_ptr<const config::Config>& config);
  void Drain(Duration grace);

  /// After Drain(): waits until no worker has an exchange left. Every loop still stands, so that
  /// whoever answers may still post.
  void WaitQuiet();
  /// After WaitQuiet(): ends the threads.
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
