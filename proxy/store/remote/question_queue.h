// Questions that wait for a connection, each until its deadline.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "proxy/base/clock.h"

namespace idem::store {

/// Takes out of `waiting` every entry whose deadline has come, or all of them, and gives each to
/// `end`. The others keep their order. `end` may append to `waiting`: what comes so is left there.
template <class Entry, class End>
void EndOverdue(std::deque<Entry>& waiting, BootTime now, bool all, End end) {
  for (std::size_t count = waiting.size(); count > 0; --count) {
    Entry entry = std::move(waiting.front());
    waiting.pop_front();
    if (all || entry.deadline <= now) {
      end(entry);
    } else {
      waiting.push_back(std::move(entry));
    }
  }
}

}  // namespace idem::store
