#include "tests/fuzz/messages.h"

#include <functional>

namespace idem::fuzz {

namespace {

using http::BodyLength;

std::string LengthText(const BodyLength& body) {
  switch (body.kind) {
    case BodyLength::Kind::kNone:
      return "none";
    case BodyLength::Kind::kKnown:
      return std::to_string(body.bytes);
    case BodyLength::Kind::kChunked:
      return "chunked";
    case BodyLength::Kind::kUntilClose:
      return "until-close";
  }
  return "";
}

std::string ErrorText(const http::ParseError& error) {
  return std::to_string(error.status) + " " + std::string(error.name) + ": " +
         std::string(error.detail);
}

// Calls feed(bytes that were received and not consumed) as a connection does.
template <class Feed>
void InPieces(std::string_view bytes, const Cuts& cuts, std::string& error, Feed feed) {
  std::size_t consumed = 0;
  for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
    const std::size_t available = piece < cuts.size() ? cuts[piece] : bytes.size();
    for (bool again = true; again;) {
      const auto progress = feed(bytes.substr(consumed, available - consumed));
      consumed += progress.consumed;
      again = progress.again;
      if (progress.error == nullptr) continue;
      error = ErrorText(*progress.error);
      return;
    }
  }
}

class RequestReader final : public http::RequestEvents {
 public:
  explicit RequestReader(const http::ParserLimits& limits) : parser_(limits, *this) {}

  RequestReading Read(std::string_view bytes, const Cuts& cuts) {
    InPieces(bytes, cuts, reading_.error, [&](std::string_view piece) {
      auto progress = parser_.Feed(piece);
      if (ended_) {
        ended_ = false;
        parser_.Reset();
        progress.again = progress.consumed < piece.size();
      }
      return progress;
    });
    reading_.between_requests = reading_.error.empty() && parser_.at_message_start();
    return std::move(reading_);
  }

 private:
  void OnRequestHead() override { reading_.requests.push_back({parser_.head(), "", false}); }
  void OnRequestBody(std::string_view bytes) override { reading_.requests.back().body += bytes; }
  void OnRequestEnd() override {
    reading_.requests.back().complete = true;
    ended_ = true;
  }

  RequestReading reading_;
  bool ended_ = false;  // the parser must be Reset() from outside its events
  http::RequestParser parser_;
};

class ResponseReader final : public http::ResponseEvents {
 public:
  explicit ResponseReader(const http::ParserLimits& limits) : parser_(limits, *this) {}

  ResponseReading Read(std::string_view method, std::string_view bytes, Then then,
                       const Cuts& cuts) {
    parser_.Begin(method);
    InPieces(bytes, cuts, reading_.error,
             [&](std::string_view piece) { return parser_.Feed(piece); });
    if (reading_.error.empty() && then == Then::kEnd) {
      if (const auto* error = parser_.FeedEnd()) reading_.error = ErrorText(*error);
    }
    reading_.reusable = parser_.reusable();
    return std::move(reading_);
  }

 private:
  void OnResponseHead() override { reading_.heads.push_back(parser_.head()); }
  void OnResponseBody(std::string_view bytes) override { reading_.body += bytes; }
  void OnResponseEnd() override { reading_.complete = true; }

  ResponseReading reading_;
  http::ResponseParser parser_;
};

}  // namespace

std::vector<Cuts> WaysToCut(std::string_view bytes) {
  constexpr std::size_t kCheap = 48;
  constexpr std::size_t kPlaces = 6;
  std::vector<Cuts> ways = {{}};
  if (bytes.size() < 2) return ways;
  Cuts everywhere;
  for (std::size_t at = 1; at < bytes.size(); ++at) everywhere.push_back(at);
  if (bytes.size() <= kCheap) {
    for (const std::size_t at : everywhere) ways.push_back({at});
  } else {
    std::size_t place = std::hash<std::string_view>()(bytes);
    for (std::size_t i = 0; i < kPlaces; ++i) {
      ways.push_back({1 + place % (bytes.size() - 1)});
      place = place / bytes.size() ^ place << 7;
    }
  }
  ways.push_back(std::move(everywhere));
  return ways;
}

http::ParserLimits LowLimits() {
  return {.request_line_bytes = 200,
          .header_bytes = 600,
          .header_count = 16,
          .trailer_bytes = 100,
          .chunk_line_bytes = 48,
          .chunk_bytes = 1 << 16,
          .chunk_extension_bytes = 64};
}

RequestReading ReadRequests(std::string_view bytes, const Cuts& cuts,
                            const http::ParserLimits& limits) {
  return RequestReader(limits).Read(bytes, cuts);
}

ResponseReading ReadResponse(std::string_view method, std::string_view bytes, Then then,
                             const Cuts& cuts, const http::ParserLimits& limits) {
  return ResponseReader(limits).Read(method, bytes, then, cuts);
}

std::string FieldsText(const http::Fields& fields) {
  std::string text;
  for (const http::FieldLine line : fields) {
    text.append("|").append(line.name).append("=").append(line.value);
  }
  return text;
}

std::string RequestReading::ToText() const {
  std::string text;
  for (const ReadRequest& request : requests) {
    const http::RequestHead& head = request.head;
    text += head.method + " " + head.target + " " + LengthText(head.body);
    if (head.version == http::Version::kHttp10) text += " 1.0";
    if (!head.keep_alive) text += " close";
    if (head.expects_continue) text += " continue";
    text += FieldsText(head.fields) + "{" + request.body + (request.complete ? "}" : "...");
  }
  if (!error.empty()) text += "!" + error;
  return text + (between_requests ? "" : "...");
}

std::string ResponseReading::ToText() const {
  std::string text;
  for (const http::ResponseHead& head : heads) {
    text += std::to_string(head.status) + " " + head.reason + " " + LengthText(head.body);
    if (head.version == http::Version::kHttp10) text += " 1.0";
    if (!head.keep_alive) text += " close";
    text += FieldsText(head.fields) + ";";
  }
  text += "{" + body + (complete ? "}" : "...");
  if (!error.empty()) text += "!" + error;
  return text + (reusable ? " reusable" : "");
}

http::Fields WithoutFraming(const http::Fields& fields) {
  http::Fields others = fields;
  for (const char* name : {"Content-Length", "Transfer-Encoding", "Connection"}) {
    others.Remove(name);
  }
  return others;
}

}  // namespace idem::fuzz
