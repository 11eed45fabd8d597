// One request to the admin listener of a running proxy, for the commands that ask it.
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
  /// `token`: what that listener asks for; nullopt: nothing.
  AdminClient(event::Endpoint endpoint, std::optional<auth::Secret> token)
      : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  /// Blocks until the answer is there; each wait for the other side lasts 30 seconds at most.
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
