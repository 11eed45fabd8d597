#include "tests/support/redis_client.h"

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>

namespace idem::support {
namespace {

std::string ToText(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "nil";
    case REDIS_REPLY_ERROR:
      return "!" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string text = "(";
      for (std::size_t i = 0; i < reply.elements; ++i) {
        if (i > 0) text += ' ';
        text += ToText(*reply.element[i]);
      }
      return text + ")";
    }
    default:
      return {reply.str, reply.len};
  }
}

}  // namespace

RedisClient::RedisClient(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {
  if (context_ == nullptr || context_->err != 0) {
    redisFree(context_);
    throw std::runtime_error("no Redis on port " + std::to_string(port));
  }
}

RedisClient::~RedisClient() { redisFree(context_); }

std::string RedisClient::Ask(const std::vector<std::string>& arguments) {
  std::vector<const char*> pointers;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : arguments) {
    pointers.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  auto* raw = static_cast<redisReply*>(redisCommandArgv(
      context_, static_cast<int>(arguments.size()), pointers.data(), sizes.data()));
  if (raw == nullptr) throw std::runtime_error("Redis closed the connection");
  const std::unique_ptr<redisReply, void (*)(void*)> reply(raw, freeReplyObject);
  return ToText(*reply);
}

}  // namespace idem::support
