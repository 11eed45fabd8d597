// The address of a database, as its user writes it: postgres://user:password@host:port/database.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::libpq {

/// A URL in libpq's own syntax, query parameters included ("?sslmode=require"). Missing parts come
/// from libpq's environment variables and defaults, as for any other program.
class Url {
 public:
  /// Returns kInvalid if `text` is no such URL or names more than one host. The error's detail
  /// holds no part of the text, because it may include a password.
  static Result<Url> Parse(std::string_view text);

  /// libpq's keywords with their values, for PQconnectStartParams.
  using Settings = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] const Settings& settings() const { return settings_; }

  /// Returns the host name to look up first, because libpq's own look-up would block. Returns
  /// nullopt for an IP address and for a Unix socket.
  [[nodiscard]] std::optional<event::Endpoint> name_to_resolve() const;

  /// Returns "host:port/database", for the log.
  [[nodiscard]] std::string ToText() const;

 private:
  [[nodiscard]] std::string Value(std::string_view keyword) const;

  Settings settings_;
};

}  // namespace idem::libpq
