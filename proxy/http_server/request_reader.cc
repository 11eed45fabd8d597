#include "proxy/http_server/request_reader.h"

#include <utility>

namespace idem::http_server {

RequestReader::RequestReader(event::Connection& connection, const Options& options,
                             RunningRequest& request)
    : connection_(connection), options_(options), request_(request), parser_(MakeParser()) {}

std::unique_ptr<http::RequestParser> RequestReader::MakeParser() {
  return std::make_unique<http::RequestParser>(options_.parser,
                                               static_cast<http::RequestEvents&>(*this));
}

http::RequestParser::Progress RequestReader::Feed() {
  feeding_ = true;
  const auto progress = parser_->Feed(connection_.received());
  feeding_ = false;
  connection_.Consume(progress.consumed);
  return progress;
}

void RequestReader::Renew() {
  if (std::exchange(outdated_, false)) {
    parser_ = MakeParser();
  } else {
    parser_->Reset();
  }
}

}  // namespace idem::http_server
