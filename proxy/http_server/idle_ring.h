// Connections that wait for a request, in the order in which they began to wait: a ring of the
// places themselves, so that a request costs two pointers and no memory.
#pragma once

namespace idem::http_server {

/// A place in a ring, or alone. Leaves its ring at its end.
class IdleRingNode {
 public:
  IdleRingNode() = default;
  ~IdleRingNode() { Leave(); }
  IdleRingNode(const IdleRingNode&) = delete;
  IdleRingNode& operator=(const IdleRingNode&) = delete;

  void Leave() {
    before_->after_ = after_;
    after_->before_ = before_;
    before_ = after_ = this;
  }
  /// From wherever it was: to the place before `ring`, which is the last one of a ring that `ring`
  /// begins.
  void MoveBefore(IdleRingNode& ring) {
    Leave();
    before_ = ring.before_;
    after_ = &ring;
    before_->after_ = this;
    ring.before_ = this;
  }
  [[nodiscard]] bool alone() const { return after_ == this; }
  [[nodiscard]] IdleRingNode& next() { return *after_; }

 private:
  IdleRingNode* before_ = this;
  IdleRingNode* after_ = this;
};

}  // namespace idem::http_server
