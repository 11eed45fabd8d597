// Feeds a message to a parser in pieces and records its events as one line of text that tests
// compare.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/parser.h"

namespace idem::http {

/// Feeds `bytes` cut at `cuts` (positions, ascending). As in a connection, the bytes that the
/// parser has not consumed come again with the next piece. `on_progress` gets every progress and
/// returns false to stop.
template <class Parser, class OnProgress>
void FeedInPieces(Parser& parser, std::string_view bytes, const std::vector<std::size_t>& cuts,
                  OnProgress on_progress) {
  std::size_t consumed = 0;
  for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
    const std::size_t available = piece < cuts.size() ? cuts[piece] : bytes.size();
    for (;;) {
      const auto progress = parser.Feed(bytes.substr(consumed, available - consumed));
      consumed += progress.consumed;
      if (!on_progress(progress)) return;
      if (!progress.again) break;
    }
  }
}

inline std::string Describe(const BodyLength& body) {
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

inline std::string Describe(const ParseError& error) {
  return std::to_string(error.status) + " " + std::string(error.name);
}

inline std::string Describe(const Fields& fields) {
  std::string text;
  for (const FieldLine line : fields) {
    text.append("|").append(line.name).append("=").append(line.value);
  }
  return text;
}

/// All requests of a connection: "POST /x 7 close|Host=a{body}", then "!400 bad-request" for an
/// error, or "..." if the last one is incomplete.
class RequestRecorder final : public RequestEvents {
 public:
  static std::string Read(std::string_view bytes, const std::vector<std::size_t>& cuts = {},
                          const ParserLimits& limits = {}) {
    RequestRecorder recorder(limits);
    FeedInPieces(recorder.parser_, bytes, cuts, [&](const RequestParser::Progress& progress) {
      if (progress.error != nullptr) recorder.text_ += "!" + Describe(*progress.error);
      return progress.error == nullptr;
    });
    if (recorder.text_.find('!') == std::string::npos && !recorder.parser_.at_message_start()) {
      recorder.text_ += "...";
    }
    return recorder.text_;
  }

  void OnRequestHead() override {
    const RequestHead& head = parser_.head();
    text_ += head.method + " " + head.target + " " + Describe(head.body);
    if (head.version == Version::kHttp10) text_ += " 1.0";
    if (!head.keep_alive) text_ += " close";
    if (head.expects_continue) text_ += " continue";
    text_ += Describe(head.fields) + "{";
  }
  void OnRequestBody(std::string_view bytes) override { text_ += bytes; }
  void OnRequestEnd() override {
    text_ += "}";
    ended_ = true;
  }

 private:
  // Resets the parser from outside its events, as its owner must.
  class Resetting {
   public:
    Resetting(const ParserLimits& limits, RequestRecorder& recorder)
        : parser_(limits, recorder), recorder_(recorder) {}
    RequestParser::Progress Feed(std::string_view bytes) {
      auto progress = parser_.Feed(bytes);
      if (recorder_.ended_) {
        recorder_.ended_ = false;
        parser_.Reset();
        progress.again = progress.consumed < bytes.size();
      }
      return progress;
    }
    bool at_message_start() const { return parser_.at_message_start(); }
    RequestHead& head() { return parser_.head(); }

   private:
    RequestParser parser_;
    RequestRecorder& recorder_;
  };

  explicit RequestRecorder(const ParserLimits& limits) : parser_(limits, *this) {}

  std::string text_;
  bool ended_ = false;
  Resetting parser_;
};

/// One response: "103|Link=x;200 5|A=b{hello} reusable". With `then_end` the connection ends after
/// it.
class ResponseRecorder final : public ResponseEvents {
 public:
  enum class Then : bool { kOpen, kEnd };

  static std::string Read(std::string_view method, std::string_view bytes, Then then,
                          const std::vector<std::size_t>& cuts = {},
                          const ParserLimits& limits = {}) {
    ResponseRecorder recorder(limits);
    recorder.parser_.Begin(method);
    const ParseError* error = nullptr;
    FeedInPieces(recorder.parser_, bytes, cuts, [&](const ResponseParser::Progress& progress) {
      error = progress.error;
      return error == nullptr;
    });
    if (error == nullptr && then == Then::kEnd) error = recorder.parser_.FeedEnd();
    if (error != nullptr) return recorder.text_ + "!" + Describe(*error);
    if (recorder.parser_.reusable()) recorder.text_ += " reusable";
    return recorder.text_;
  }

  void OnResponseHead() override {
    const ResponseHead& head = parser_.head();
    text_ += std::to_string(head.status);
    if (head.status < 200) {
      text_ += Describe(head.fields) + ";";
    } else {
      text_ += " " + Describe(head.body) + Describe(head.fields) + "{";
    }
  }
  void OnResponseBody(std::string_view bytes) override { text_ += bytes; }
  void OnResponseEnd() override { text_ += "}"; }

 private:
  explicit ResponseRecorder(const ParserLimits& limits) : parser_(limits, *this) {}

  std::string text_;
  ResponseParser parser_;
};

/// Calls `check(cuts)` with a message of `size` bytes whole, cut at each place, and in single
/// bytes.
template <class Check>
void ForEverySplit(std::size_t size, Check check) {
  check(std::vector<std::size_t>{});
  std::vector<std::size_t> everywhere;
  for (std::size_t at = 1; at < size; ++at) {
    check(std::vector<std::size_t>{at});
    everywhere.push_back(at);
  }
  check(everywhere);
}

}  // namespace idem::http
