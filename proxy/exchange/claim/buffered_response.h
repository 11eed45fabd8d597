// An upstream's response in memory, until it is complete or turns out too large to keep.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/idempotency/record.h"

namespace idem::exchange {

struct BufferedResponse {
  http::ResponseHead head;
  std::string body;  // too_large: the part that arrived
  bool complete = false;
  bool too_large = false;

  /// Take the next part. They return false if the body is, or will be, larger than `body_max`.
  [[nodiscard]] bool TakeHead(http::ResponseHead& from, std::uint64_t body_max);
  [[nodiscard]] bool TakeBody(std::string_view bytes, std::uint64_t body_max);
  /// Nothing more comes. False where nobody said so: the body ended with its connection, which
  /// does not announce its close (`announces_close`), and may have been cut.
  [[nodiscard]] bool TakeEnd(bool announces_close);

  /// Returns the response to record: the fields of CopyRecorded(), and the body, which is moved,
  /// unless it is too large.
  [[nodiscard]] std::shared_ptr<idempotency::StoredResponse> MoveToStored(
      std::span<const std::string> drop);
};

}  // namespace idem::exchange
