#include <string>

#include "proxy/base/invariant.h"
#include "proxy/http/body_reader.h"
#include "proxy/http/head_parser.h"
#include "proxy/http/parser.h"
#include "proxy/http/section_scanner.h"

namespace idem::http {

namespace {

constexpr ParseError kNoResponse{502, "upstream-reset", "the connection ended without a response"};
constexpr ParseError kTruncated{502, "upstream-reset",
                                "the connection ended before the response was complete"};
constexpr ParseError kNotHttp1{400, "bad-request", "the answer is not HTTP/1"};
constexpr ParseError kTooManyInterims{400, "bad-request", "there are too many interim responses"};
constexpr std::size_t kInterimsMax = 64;  // interim heads before one final response

}  // namespace

// Works as RequestParser's does, with interim heads before the final one:
//
//   head ──OnResponseHead(1xx)──▶ head ──OnResponseHead──▶ body ──OnResponseEnd──▶ done
class ResponseParser::Impl {
 public:
  Impl(const ParserLimits& limits, ResponseEvents& events) : limits_(limits), events_(events) {}

  void Begin(std::string_view request_method) {
    request_method_.assign(request_method);
    touched_ = false;
    clean_end_ = false;
    interims_ = 0;
    BeginHead();
    head_.Clear();
  }

  Progress Feed(std::string_view bytes) {
    touched_ |= !bytes.empty();
    switch (state_) {
      case State::kHead:
        return FeedHead(bytes);
      case State::kBody:
        return FeedBody(bytes);
      case State::kDone:
        clean_end_ &= bytes.empty();
        return {};
      case State::kFailed:
        return {.consumed = 0, .error = &error_, .again = false};
    }
    return {};
  }

  const ParseError* FeedEnd() {
    switch (state_) {
      case State::kHead:
        return touched_ ? &kTruncated : &kNoResponse;
      case State::kBody:
        if (!body_.ends_with_connection()) return &kTruncated;
        state_ = State::kDone;
        events_.OnResponseEnd();
        return nullptr;
      case State::kDone:
        clean_end_ = false;
        return nullptr;
      case State::kFailed:
        return &error_;
    }
    return nullptr;
  }

  [[nodiscard]] bool reusable() const {
    return state_ == State::kDone && clean_end_ && head_.keep_alive;
  }
  [[nodiscard]] ResponseHead& head() { return head_; }

 private:
  enum class State : std::uint8_t { kHead, kBody, kDone, kFailed };

  void BeginHead() {
    state_ = State::kHead;
    scanner_.Begin(SectionScanner::StartLine::kOne);
  }

  Progress FeedHead(std::string_view bytes) {
    // Fails immediately, because another protocol may never send the end of a line.
    constexpr std::string_view kVersionBegin = "HTTP/1.";
    const std::string_view front = bytes.substr(0, kVersionBegin.size());
    if (front != kVersionBegin.substr(0, front.size())) return Fail(kNotHttp1);
    const auto [section_bytes, scan_error] =
        scanner_.Scan(bytes, {.start_line_bytes = limits_.request_line_bytes,
                              .fields_bytes = limits_.header_bytes,
                              .fields_count = limits_.header_count});
    if (scan_error != nullptr) return Fail(*scan_error);
    if (section_bytes == 0) return {};
    const auto* error = ParseResponseHead(bytes.substr(0, section_bytes), request_method_, head_);
    if (error != nullptr) return Fail(*error);
    if (head_.status / 100 == 1) {
      if (++interims_ > kInterimsMax) return Fail(kTooManyInterims);
      BeginHead();
    } else {
      state_ = State::kBody;
      body_.Begin(head_.body, ForbiddenTrailers::kDrop);
    }
    events_.OnResponseHead();
    return {.consumed = section_bytes, .error = nullptr, .again = true};
  }

  Progress FeedBody(std::string_view bytes) {
    const BodyReader::Step step = body_.Next(bytes, limits_);
    if (step.error != nullptr) return Fail(*step.error);
    if (step.ended) {
      state_ = State::kDone;
      clean_end_ = step.consumed == bytes.size();
      events_.OnResponseEnd();
      return {.consumed = step.consumed, .error = nullptr, .again = false};
    }
    if (!step.data.empty()) events_.OnResponseBody(step.data);
    return {.consumed = step.consumed, .error = nullptr, .again = !step.data.empty()};
  }

  Progress Fail(const ParseError& error) {
    state_ = State::kFailed;
    error_ = {502, "upstream-malformed", error.detail};
    return {.consumed = 0, .error = &error_, .again = false};
  }

  const ParserLimits limits_;
  ResponseEvents& events_;
  std::string request_method_;
  State state_ = State::kHead;
  bool touched_ = false;    // a byte has arrived
  bool clean_end_ = false;  // no byte followed the response
  std::size_t interims_ = 0;
  SectionScanner scanner_;
  ResponseHead head_;
  BodyReader body_;
  ParseError error_;
};

ResponseParser::ResponseParser(const ParserLimits& limits, ResponseEvents& events)
    : impl_(std::make_unique<Impl>(limits, events)) {}
ResponseParser::~ResponseParser() = default;
void ResponseParser::Begin(std::string_view request_method) { impl_->Begin(request_method); }
ResponseParser::Progress ResponseParser::Feed(std::string_view bytes) { return impl_->Feed(bytes); }
const ParseError* ResponseParser::FeedEnd() { return impl_->FeedEnd(); }
bool ResponseParser::reusable() const { return impl_->reusable(); }
ResponseHead& ResponseParser::head() { return impl_->head(); }

}  // namespace idem::http
