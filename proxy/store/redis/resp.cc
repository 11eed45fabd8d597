#include "proxy/store/redis/resp.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <new>

namespace idem::store {
namespace {

void AppendNumberLine(char mark, std::size_t number, std::string& to) {
  char digits[20];
  to.push_back(mark);
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  to.append("\r\n");
}

struct Explanation {
  std::string_view code;
  ErrorCode as;
  std::string_view text;
};

constexpr Explanation kExplanations[] = {
    {"LOADING", ErrorCode::kUnavailable, "is loading its data; it will be ready by itself"},
    {"ERR max number of clients", ErrorCode::kUnavailable,
     "has as many clients as it takes; raise its maxclients"},
    {"READONLY", ErrorCode::kRefused,
     "is a replica and takes no writes; store.url must name the primary"},
    {"MASTERDOWN", ErrorCode::kUnavailable, "is a replica that has lost its primary"},
    {"NOREPLICAS", ErrorCode::kRefused, "has fewer replicas than its min-replicas-to-write"},
    {"OOM", ErrorCode::kRefused, "has no memory left; raise its maxmemory"},
    {"MISCONF", ErrorCode::kRefused, "cannot write to its disk and refuses changes; see its log"},
    {"BUSY", ErrorCode::kUnavailable, "is busy with another script"},
    {"NOAUTH", ErrorCode::kRefused, "asks for a password; put it into store.url"},
    {"WRONGPASS", ErrorCode::kRefused, "refuses the user or the password of store.url"},
    {"NOPERM", ErrorCode::kRefused,
     "does not permit this user what the store needs (scripts, and its key prefix)"},
    {"DENIED", ErrorCode::kRefused, "is in protected mode and takes local connections only"},
    {"MOVED", ErrorCode::kRefused, "is a cluster, which is not supported yet"},
    {"CROSSSLOT", ErrorCode::kRefused, "is a cluster, which is not supported yet"},
    {"CLUSTERDOWN", ErrorCode::kRefused, "is a cluster, which is not supported yet"},
    {"CORRUPT", ErrorCode::kCorrupt, "holds a value that is no record under a record's key"},
    {"WRONGTYPE", ErrorCode::kCorrupt, "holds a value that is no record under a record's key"},
};

// Redis before 7 wraps the error of a command in a script: "ERR Error running script ...: -OOM
// command ...".
bool HasCode(std::string_view error, std::string_view code) {
  const std::size_t place = error.find(code);
  if (place == error.npos) return false;
  const bool begins = place == 0 || error[place - 1] == '-';
  const std::size_t end = place + code.size();
  return begins && (end == error.size() || error[end] == ' ');
}

// Returns the first word if it looks like a code of Redis.
std::string_view CodeOf(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  const bool is_code = !word.empty() && word.size() <= 20 &&
                       std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  return is_code ? word : "an error";
}

}  // namespace

void AppendRedisArgumentCount(std::size_t count, std::string& to) {
  AppendNumberLine('*', count, to);
}

void AppendRedisArgument(std::string_view argument, std::string& to) {
  AppendNumberLine('$', argument.size(), to);
  to.append(argument).append("\r\n");
}

void AppendRedisCommand(std::initializer_list<std::string_view> arguments, std::string& to) {
  AppendRedisArgumentCount(arguments.size(), to);
  for (const std::string_view argument : arguments) AppendRedisArgument(argument, to);
}

bool RedisValue::nil() const { return reply_ != nullptr && reply_->type == REDIS_REPLY_NIL; }

std::optional<std::string_view> RedisValue::text() const {
  if (reply_ == nullptr) return {};
  if (reply_->type != REDIS_REPLY_STRING && reply_->type != REDIS_REPLY_STATUS) return {};
  return std::string_view(reply_->str, reply_->len);
}

std::optional<std::int64_t> RedisValue::integer() const {
  if (reply_ == nullptr || reply_->type != REDIS_REPLY_INTEGER) return {};
  return reply_->integer;
}

std::optional<std::string_view> RedisValue::error() const {
  if (reply_ == nullptr || reply_->type != REDIS_REPLY_ERROR) return {};
  return std::string_view(reply_->str, reply_->len);
}

std::size_t RedisValue::size() const {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

RedisValue RedisValue::at(std::size_t index) const {
  return index < size() ? RedisValue(reply_->element[index]) : RedisValue();
}

void RedisReplyDeleter::operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }

void RedisReader::Deleter::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

RedisReader::RedisReader() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

void RedisReader::Feed(std::string_view bytes) {
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());  // Next() returns its error
}

Result<RedisReply> RedisReader::Next() {
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
    return Error{ErrorCode::kCorrupt,
                 "sends what is not Redis's protocol: is store.url the address of a Redis?"};
  }
  if (reply == nullptr && reader_->len - reader_->pos > kReplyBytesMax) {
    return Error{ErrorCode::kCorrupt, "sends a reply without end"};
  }
  return RedisReply(static_cast<redisReply*>(reply));
}

Error ExplainRedisError(std::string_view where, std::string_view error) {
  for (const Explanation& known : kExplanations) {
    if (!HasCode(error, known.code)) continue;
    return {known.as, std::string(where) + " " + std::string(known.text) + " (" +
                          std::string(known.code) + ")"};
  }
  return {ErrorCode::kRefused,
          std::string(where) + " answered a command with " + std::string(CodeOf(error))};
}

}  // namespace idem::store
