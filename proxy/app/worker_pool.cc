#include "proxy/app/worker_pool.h"

#include <future>
#include <thread>
#include <utility>

#include "proxy/event/listener.h"

namespace idem::app {

// The phases of a worker's thread, and where it waits for the others:
//
//   listen ──started──▶ run ... ──▶ close exchanges ──closed──▶ (all are; the store is closed)
//   ──may_end──▶ destroy
struct WorkerPool::WorkerThread {
  std::size_t index = 0;
  std::thread thread;
  Worker* worker = nullptr;  // valid between started and may_end
  std::promise<Status> started;
  std::promise<void> closed;
  std::future<void> is_closed = closed.get_future();
  std::promise<void> may_end;
};

WorkerPool::WorkerPool(SharedState& shared) : shared_(shared) {}

WorkerPool::~WorkerPool() {
  if (running_.empty()) return;
  Drain(Duration::zero());
  WaitQuiet();
  Join();
}

void WorkerPool::Run(WorkerThread& running, const std::shared_ptr<const config::Config>& config,
                     const std::vector<event::Endpoint>& endpoints) {
  Worker worker(shared_, running.index, config);
  running.worker = &worker;
  auto listening = worker.Start(endpoints);
  const bool failed = !listening.has_value();
  if (!failed && running.index == 0) bound_ = worker.bound();
  running.started.set_value(std::move(listening));
  if (!failed) worker.Run();
  worker.Close();
  running.closed.set_value();
  running.may_end.get_future().wait();
}

Status WorkerPool::Start(const std::shared_ptr<const config::Config>& config) {
  std::vector<event::Endpoint> configured;
  for (const config::Listener& listener : config->listen) {
    if (auto free = event::Listener::CheckFree(listener.endpoint); !free) return free;
    configured.push_back(listener.endpoint);
  }
  for (unsigned i = 0; i < config->workers; ++i) {
    auto& running = *running_.emplace_back(std::make_unique<WorkerThread>());
    running.index = i;
    auto started = running.started.get_future();
    // The first may let the system choose ports; the others share them.
    auto endpoints = i == 0 ? configured : bound_;
    running.thread = std::thread([this, &running, config, endpoints = std::move(endpoints)] {
      Run(running, config, endpoints);
    });
    auto status = started.get();  // the other workers read what the first one bound
    if (!status) {
      Drain(Duration::zero());
      WaitQuiet();
      Join();
      return status;
    }
  }
  return Ok();
}

void WorkerPool::Apply(const std::shared_ptr<const config::Config>& config) {
  for (auto& running : running_) running->worker->Apply(config);
}

void WorkerPool::Drain(Duration grace) {
  for (auto& running : running_) running->worker->Drain(grace);
}

void WorkerPool::WaitQuiet() {
  for (auto& running : running_) running->is_closed.wait();
}

void WorkerPool::Join() {
  for (auto& running : running_) running->may_end.set_value();
  for (auto& running : running_) running->thread.join();
  running_.clear();
}

}  // namespace idem::app
