// Deletes expired rows, a bounded number in each statement, from time to time. It shares nothing
// with the questions of the store except its connection.
#pragma once

#include "proxy/base/loop.h"
#include "proxy/store/postgres/batch_queue.h"

namespace idem::store {

class PostgresExpirySweeper {
 public:
  /// Asks for the first deletion at once. Destroyed before `queue`.
  PostgresExpirySweeper(Loop& loop, PostgresBatchQueue& queue);

 private:
  void Sweep();
  void OnSwept(const Result<libpq::Rows>& rows);

  Loop& loop_;
  PostgresBatchQueue& queue_;
  Ticket running_;
  Ticket pause_;
};

}  // namespace idem::store
