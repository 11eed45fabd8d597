// A blocking Redis client for tests: what it reads it reads without the store's own code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace idem::support {

/// Answers come in one line: text and numbers bare, `nil`, lists as (a 1 nil), errors as !CODE
/// rest.
class RedisClient {
 public:
  /// To 127.0.0.1; fails with a std::runtime_error, as every later call does when the connection is
  /// lost.
  explicit RedisClient(std::uint16_t port);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  std::string Ask(const std::vector<std::string>& arguments);

 private:
  redisContext* context_;
};

}  // namespace idem::support
