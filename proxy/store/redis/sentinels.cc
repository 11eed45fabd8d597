#include "proxy/store/redis/sentinels.h"

#include <charconv>
#include <utility>

namespace idem::store {
namespace {

constexpr std::chrono::milliseconds kAttemptTimeout(500);  // for each sentinel

std::optional<event::Endpoint> ReadAddress(RedisValue reply) {
  const auto host = reply.at(0).text();
  const auto port = reply.at(1).text();
  event::Endpoint endpoint;
  if (reply.size() != 2 || !host || host->empty() || !port) return {};
  const auto [end, error] =
      std::from_chars(port->data(), port->data() + port->size(), endpoint.port);
  if (error != std::errc() || end != port->data() + port->size() || endpoint.port == 0) return {};
  endpoint.host = *host;
  return endpoint;
}

}  // namespace

Ticket RedisSentinels::Find(Function<void(Result<event::Endpoint>)> on_found) {
  auto [ticket, completion] = idem::Ask<Result<event::Endpoint>>(std::move(on_found));
  completion_.emplace(std::move(completion));
  tried_ = 0;
  Ask();
  return std::move(ticket);
}

void RedisSentinels::Ask() {
  connection_.reset();
  reader_.emplace();
  timer_ = loop_.After(kAttemptTimeout, [this] { AskNext("does not answer"); });
  const std::size_t index = (first_ + tried_) % address_.sentinels.size();
  resolving_ = resolver_.Resolve(
      loop_, address_.sentinels[index], [this](const event::Resolver::Answer& answer) {
        if (!answer) return AskNext(answer.error().detail);
        connection_ = event::Connection::Connect(loop_, answer->front(), kAttemptTimeout, *this,
                                                 event::Connection::Options{});
      });
}

void RedisSentinels::OnConnected() {
  std::string command;
  AppendRedisCommand({"SENTINEL", "get-master-addr-by-name", address_.master}, command);
  connection_->Write(command);
}

void RedisSentinels::OnData() {
  const std::string_view received = connection_->received();
  reader_->Feed(received);
  connection_->Consume(received.size());
  Result<RedisReply> reply = reader_->Next();
  if (!reply) return AskNext(reply.error().detail);
  if (*reply) TakeReply(reply->value());
}

void RedisSentinels::TakeReply(RedisValue reply) {
  if (reply.error()) return AskNext("answered with an error; is it a sentinel?");
  if (reply.nil()) return AskNext("has no master of that name");
  std::optional<event::Endpoint> found = ReadAddress(reply);
  if (!found) return AskNext("answered with an unexpected reply");
  first_ = (first_ + tried_) % address_.sentinels.size();
  Answer(std::move(*found));
}

void RedisSentinels::AskNext(std::string_view why) {
  const std::size_t index = (first_ + tried_) % address_.sentinels.size();
  const std::string who = address_.sentinels[index].ToText();
  if (++tried_ < address_.sentinels.size()) return Ask();
  Answer(Error{ErrorCode::kUnavailable, "is not found by any sentinel; the last one asked, " + who +
                                            ", " + std::string(why)});
}

void RedisSentinels::Answer(Result<event::Endpoint> answer) {
  connection_.reset();
  resolving_ = {};
  timer_ = {};
  Completion<Result<event::Endpoint>> completion = std::move(*completion_);
  completion_.reset();
  completion(std::move(answer));
}

}  // namespace idem::store
