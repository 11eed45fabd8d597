// The log of a replayed world, one line for each event. A world without a trace builds no text.
#pragma once

#include <iomanip>
#include <ostream>

#include "tests/simulation/timeline.h"

namespace idem::simulation {

class Trace {
 public:
  Trace(const Timeline& timeline, std::ostream* out) : timeline_(timeline), out_(out) {}

  /// `write(out)` writes the line without its end.
  template <class Write>
  void Say(Write write) const {
    if (out_ == nullptr) return;
    *out_ << std::setw(10) << std::fixed << std::setprecision(4)
          << std::chrono::duration<double>(timeline_.age()).count() << "  ";
    write(*out_);
    *out_ << "\n";
  }

 private:
  const Timeline& timeline_;
  std::ostream* out_;
};

}  // namespace idem::simulation
