#include "proxy/store/redis/redis_address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "proxy/base/hex.h"

namespace idem::store {
namespace {

constexpr std::string_view kDefaultPort = ":6379";
constexpr std::string_view kSentinelPort = ":26379";
constexpr std::size_t kSentinelsMax = 16;

Error Invalid(std::string_view why) {
  return {ErrorCode::kInvalid, "the URL of Redis: " + std::string(why)};
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    std::uint8_t byte[1];
    if (!FromHex(text.substr(i + 1, 2), byte)) return {};
    out.push_back(static_cast<char>(byte[0]));
    i += 2;
  }
  return out;
}

// Removes "user:password@" or ":password@" from the front of `text`, if it is there.
Status TakeCredentials(std::string_view& text, RedisAddress& address) {
  const std::size_t at = text.substr(0, text.find('/')).rfind('@');
  if (at == text.npos) return Ok();
  const std::string_view credentials = text.substr(0, at);
  text.remove_prefix(at + 1);
  const std::size_t colon = credentials.find(':');
  if (colon == credentials.npos) return Invalid("write user:password or :password before the @");
  const auto user = PercentDecoded(credentials.substr(0, colon));
  const auto password = PercentDecoded(credentials.substr(colon + 1));
  if (!user || !password) return Invalid("write %25 for a % in user or password");
  if (password->empty()) return Invalid("the password before the @ is empty");
  address.user = *user;
  address.password = *password;
  return Ok();
}

Status TakeDatabase(std::string_view text, RedisAddress& address) {
  if (text.empty()) return Ok();
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), address.database);
  if (error == std::errc() && end == text.data() + text.size()) return Ok();
  return Invalid("the database must be a number, redis://HOST:PORT/NUMBER");
}

Result<event::Endpoint> ParseHost(std::string_view text, std::string_view default_port) {
  std::string host(text);
  const std::size_t after_brackets = host.find(']') == host.npos ? 0 : host.find(']');
  if (host.find(':', after_brackets) == host.npos) host += default_port;
  Result<event::Endpoint> endpoint = event::Endpoint::Parse(host);
  if (!endpoint) return Invalid(endpoint.error().detail);
  if (!endpoint->unix_path.empty() || endpoint->port == 0) return Invalid("no host with a port");
  return endpoint;
}

Result<RedisAddress> ParseTcp(std::string_view text) {
  RedisAddress address;
  if (const Status taken = TakeCredentials(text, address); !taken) return taken.error();
  const std::size_t slash = text.find('/');
  if (slash != text.npos) {
    if (const Status taken = TakeDatabase(text.substr(slash + 1), address); !taken) {
      return taken.error();
    }
  }
  Result<event::Endpoint> endpoint = ParseHost(text.substr(0, slash), kDefaultPort);
  if (!endpoint) return endpoint.error();
  address.endpoint = std::move(*endpoint);
  return address;
}

Result<RedisAddress> ParseSentinels(std::string_view text) {
  RedisAddress address;
  if (const Status taken = TakeCredentials(text, address); !taken) return taken.error();
  const std::size_t slash = text.find('/');
  std::string_view hosts = text.substr(0, slash);
  text.remove_prefix(std::min(text.size(), hosts.size() + 1));
  const std::size_t name_end = std::min(text.find('/'), text.size());
  address.master = text.substr(0, name_end);
  if (address.master.empty()) {
    return Invalid("write the name of the master behind the sentinels, HOST:PORT,HOST:PORT/NAME");
  }
  text.remove_prefix(std::min(text.size(), name_end + 1));
  if (const Status taken = TakeDatabase(text, address); !taken) return taken.error();
  while (address.sentinels.size() < kSentinelsMax) {
    const std::size_t comma = std::min(hosts.find(','), hosts.size());
    Result<event::Endpoint> sentinel = ParseHost(hosts.substr(0, comma), kSentinelPort);
    if (!sentinel) return sentinel.error();
    address.sentinels.push_back(std::move(*sentinel));
    if (comma == hosts.size()) return address;
    hosts.remove_prefix(comma + 1);
  }
  return Invalid("too many sentinels");
}

Result<RedisAddress> ParseUnix(std::string_view text) {
  RedisAddress address;
  std::string_view query;
  if (const std::size_t mark = text.find('?'); mark != text.npos) {
    query = text.substr(mark + 1);
    text = text.substr(0, mark);
    if (!TakePrefix(query, "db=")) return Invalid("write db=NUMBER after the ? of a socket");
  }
  if (const Status taken = TakeCredentials(text, address); !taken) return taken.error();
  if (const Status taken = TakeDatabase(query, address); !taken) return taken.error();
  if (!text.starts_with('/')) return Invalid("write a socket as unix:///PATH");
  Result<event::Endpoint> endpoint = event::Endpoint::Parse("unix:" + std::string(text));
  if (!endpoint) return Invalid(endpoint.error().detail);
  address.endpoint = std::move(*endpoint);
  return address;
}

}  // namespace

std::string RedisAddress::ToText() const {
  if (sentinels.empty()) return endpoint.ToText();
  std::string text = master + " (sentinels ";
  for (const event::Endpoint& sentinel : sentinels) {
    if (&sentinel != &sentinels.front()) text += ", ";
    text += sentinel.ToText();
  }
  return text + ")";
}

Result<RedisAddress> ParseRedisUrl(std::string_view url) {
  if (TakePrefix(url, "redis://")) return ParseTcp(url);
  if (TakePrefix(url, "unix://")) return ParseUnix(url);
  if (TakePrefix(url, "rediss://")) {
    Result<RedisAddress> address = ParseTcp(url);
    if (address) address->tls = true;
    return address;
  }
  if (TakePrefix(url, "redis+sentinel://")) return ParseSentinels(url);
  return Invalid("it must begin with redis://, rediss://, redis+sentinel:// or unix://");
}

}  // namespace idem::store
