// What Redis says and how it is asked: the RESP protocol, version 2, over hiredis's reader.
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
/// The two parts of one, for a command whose arguments come from several places.
void AppendRedisArgumentCount(std::size_t count, std::string& to);
void AppendRedisArgument(std::string_view argument, std::string& to);

/// A look at a reply or at an element of one; good as long as its owner. Every question that the
/// value cannot answer is answered with nothing: a reply is never trusted to have a shape.
class RedisValue {
 public:
  RedisValue() = default;  // nothing: answers every question with nothing
  explicit RedisValue(const redisReply* reply) : reply_(reply) {}

  [[nodiscard]] bool nil() const;
  [[nodiscard]] std::optional<std::string_view> text() const;  // a bulk or a simple string
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] std::optional<std::string_view> error() const;  // "CODE text"
  [[nodiscard]] std::size_t size() const;                       // of a list; else 0
  [[nodiscard]] RedisValue at(std::size_t index) const;         // of a list; else nothing

 private:
  const redisReply* reply_ = nullptr;
};

struct RedisReplyDeleter {
  void operator()(redisReply* reply) const noexcept;
};

/// Owns one reply; null for none.
class RedisReply {
 public:
  RedisReply() = default;
  explicit RedisReply(redisReply* reply) : reply_(reply) {}
  [[nodiscard]] RedisValue value() const { return RedisValue(reply_.get()); }
  explicit operator bool() const { return reply_ != nullptr; }

 private:
  std::unique_ptr<redisReply, RedisReplyDeleter> reply_;
};

/// Bytes into replies. After an error it is of no more use: the stream is out of step.
class RedisReader {
 public:
  RedisReader();

  void Feed(std::string_view bytes);
  /// The next whole reply; an empty one where more bytes are needed. kCorrupt for what is not RESP
  /// and for a reply larger than kReplyBytesMax.
  [[nodiscard]] Result<RedisReply> Next();

  static constexpr std::size_t kReplyBytesMax = 512UL << 20;  // Redis's own limit of one string

 private:
  struct Deleter {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Deleter> reader_;
};

/// What an error reply means for the operator: "CODE text" as an Error whose detail begins with
/// `where` and repeats nothing that a caller or a URL may have put into it.
[[nodiscard]] Error ExplainRedisError(std::string_view where, std::string_view error);

}  // namespace idem::store
