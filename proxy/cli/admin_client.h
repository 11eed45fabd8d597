// Client of the admin listener of a running proxy, for the command `records`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::cli {

struct AdminResponse {
  std::uint16_t status = 0;
  std::string body;
};

class AdminClient {
 public:
  /// `token` is sent if the listener needs one.
  AdminClient(event::Endpoint endpoint, std::optional<auth::Secret> token)
      : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  /// Blocks until the response is complete. Each wait for the server lasts at most 30 seconds.
  [[nodiscard]] Result<AdminResponse> Get(std::string_view target) const;
  [[nodiscard]] Result<AdminResponse> PostJson(std::string_view target,
                                               std::string_view json) const;

 private:
  [[nodiscard]] Result<AdminResponse> Ask(std::string_view method, std::string_view target,
                                          std::string_view json) const;

  const event::Endpoint endpoint_;
  const std::optional<auth::Secret> token_;
};

}  // namespace idem::cli
