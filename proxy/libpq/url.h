// Which database to talk to, as its user writes it: postgres://user:password@host:port/database.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace idem::libpq {

/// A URL in libpq's own syntax, query parameters included ("?sslmode=require"). What it leaves open
/// comes from libpq's environment variables and defaults, as with any other program.
class Url {
 public:
  /// kInvalid for what is no such URL, or names more than one host. The error's detail holds
  /// nothing of the text: it may carry a password.
  static Result<Url> Parse(std::string_view text);

  /// libpq's keywords with their values, in the form PQconnectStartParams takes.
  using Settings = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] const Settings& settings() const { return settings_; }

  /// The name that must be looked up first (libpq's own look-up would block); nullopt for an IP
  /// address and for a Unix socket.
  [[nodiscard]] std::optional<event::Endpoint> name_to_resolve() const;

  /// "host:port/database", for the log.
  [[nodiscard]] std::string ToText() const;

 private:
  [[nodiscard]] std::string Value(std::string_view keyword) const;

  Settings settings_;
};

}  // namespace idem::libpq
