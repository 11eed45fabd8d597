// The RESP protocol, version 2: writing commands, and reading replies with hiredis's reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

struct redisReader;
struct redisReply;

namespace idem::store {

/// Appends one command as a list of bulk strings.
void AppendRedisCommand(std::initializer_list<std::string_view> arguments, std::string& to);
/// The parts of a command, for arguments that come from several places.
void AppendRedisArgumentCount(std::size_t count, std::string& to);
void AppendRedisArgument(std::string_view argument, std::string& to);

/// A view of a reply or of an element of one; valid as long as its owner. A member that does not
/// fit the type of the value returns null, because no reply is trusted to have the expected shape.
class RedisValue {
 public:
  RedisValue() = default;  // every member returns null
  explicit RedisValue(const redisReply* reply) : reply_(reply) {}

  [[nodiscard]] bool nil() const;
  [[nodiscard]] std::optional<std::string_view> text() const;  // a bulk or a simple string
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] std::optional<std::string_view> error() const;  // "CODE text"
  [[nodiscard]] std::size_t size() const;                       // of a list; otherwise 0
  [[nodiscard]] RedisValue at(std::size_t index) const;         // of a list

 private:
  const redisReply* reply_ = nullptr;
};

struct RedisReplyDeleter {
  void operator()(redisReply* reply) const noexcept;
};

/// Owns one reply, or none.
class RedisReply {
 public:
  RedisReply() = default;
  explicit RedisReply(redisReply* reply) : reply_(reply) {}
  [[nodiscard]] RedisValue value() const { return RedisValue(reply_.get()); }
  explicit operator bool() const { return reply_ != nullptr; }

 private:
  std::unique_ptr<redisReply, RedisReplyDeleter> reply_;
};

/// Parses replies. After an error it cannot be used any more, because the stream is out of step.
class RedisReader {
 public:
  RedisReader();

  void Feed(std::string_view bytes);
  /// Returns the next whole reply, or an empty one if more bytes are needed. kCorrupt: the bytes
  /// are not RESP, or the reply is larger than kReplyBytesMax.
  [[nodiscard]] Result<RedisReply> Next();

  static constexpr std::size_t kReplyBytesMax = 512UL << 20;  // Redis's limit for one string

 private:
  struct Deleter {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Deleter> reader_;
};

/// Explains an error reply, "CODE text", to the operator. The detail begins with `where` and
/// repeats nothing of the text, which may hold parts of a request or of the URL.
[[nodiscard]] Error ExplainRedisError(std::string_view where, std::string_view error);

}  // namespace idem::store
