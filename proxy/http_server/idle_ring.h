// A ring of connections that wait for a request, in the order in which they began to wait. The
// nodes are part of the connections, so that a request changes pointers and allocates nothing.
#pragma once

namespace idem::http_server {

/// A node that is in a ring with others, or in one of its own. The destructor leaves the ring.
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
  /// Leaves its ring and becomes the last node of the ring that begins with `ring`.
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
