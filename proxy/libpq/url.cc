#include "proxy/libpq/url.h"

#include <arpa/inet.h>

#include <charconv>
#include <memory>

#include <libpq-fe.h>

namespace idem::libpq {

namespace {

struct FreeSettings {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// Returns libpq's message up to its first quote, because the quoted part may be a password.
std::string WithoutQuotes(char* message) {
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, PQfreemem);
  std::string text = message == nullptr ? "out of memory" : message;
  text.resize(std::min(text.size(), text.find('"')));
  text.resize(text.find_last_not_of(": \n") + 1);
  return text;
}

bool IsAddress(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

/// If a / in a password is not written as %2F, libpq takes the user for a host and the rest for a
/// port and a database, and the log shows those.
bool HoldsPassword(const std::string& port, const std::string& database) {
  return port.find_first_not_of("0123456789") != std::string::npos ||
         database.find('@') != std::string::npos;
}

Error Invalid(std::string detail) { return {ErrorCode::kInvalid, std::move(detail)}; }

}  // namespace

Result<Url> Url::Parse(std::string_view text) {
  if (!text.starts_with("postgres://") && !text.starts_with("postgresql://")) {
    return Invalid("not a URL of the form postgres://user:password@host:port/database");
  }
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeSettings> options(
      PQconninfoParse(std::string(text).c_str(), &message));
  if (options == nullptr) return Invalid("not a PostgreSQL URL: " + WithoutQuotes(message));
  Url url;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) url.settings_.emplace_back(option->keyword, option->val);
  }
  if (url.Value("host").find(',') != std::string::npos) {
    return Invalid("a PostgreSQL URL with several hosts is not supported");
  }
  if (HoldsPassword(url.Value("port"), url.Value("dbname"))) {
    return Invalid("not a PostgreSQL URL: in a password / is written %2F and @ %40");
  }
  return url;
}

std::string Url::Value(std::string_view keyword) const {
  for (const auto& [name, value] : settings_) {
    if (name == keyword) return value;
  }
  return {};
}

std::optional<event::Endpoint> Url::name_to_resolve() const {
  event::Endpoint endpoint;
  endpoint.host = Value("host");
  const bool by_path = endpoint.host.starts_with('/') || endpoint.host.starts_with('@');
  if (endpoint.host.empty() || by_path || !Value("hostaddr").empty() || IsAddress(endpoint.host)) {
    return std::nullopt;
  }
  const std::string port = Value("port");  // used by libpq only; the look-up passes it through
  std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  return endpoint;
}

std::string Url::ToText() const {
  const auto or_default = [](const std::string& value) {
    return value.empty() ? "default" : value;
  };
  return or_default(Value("host")) + ":" + or_default(Value("port")) + "/" +
         or_default(Value("dbname"));
}

}  // namespace idem::libpq
