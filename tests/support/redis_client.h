// A blocking Redis client for tests, which does not use the store's own code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace idem::support {

/// Answers are one line: text and numbers bare, `nil`, lists as (a 1 nil), errors as !CODE rest.
class RedisClient {
 public:
  /// Connects to 127.0.0.1. This and every later call throws std::runtime_error if the connection
  /// fails.
  explicit RedisClient(std::uint16_t port);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  std::string Ask(const std::vector<std::string>& arguments);

 private:
  redisContext* context_;
};

}  // namespace idem::support
