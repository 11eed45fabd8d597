#include "proxy/http/body_reader.h"
#include "proxy/http/characters.h"
#include "proxy/http/head_parser.h"
#include "proxy/http/parser.h"
#include "proxy/http/section_scanner.h"

namespace idem::http {

namespace {

constexpr ParseError kNoMethod{400, "bad-request", "a request does not begin with a method"};
constexpr ParseError kMethodTooLong{501, "not-implemented", "the method is too long"};

}  // namespace

// Each Feed() reports at most one event:
//
//   head ──OnRequestHead──▶ body ──OnRequestEnd──▶ done ──Reset()──▶ head
//    any ──error──▶ failed
class RequestParser::Impl {
 public:
  Impl(const ParserLimits& limits, RequestEvents& events) : limits_(limits), events_(events) {
    Reset();
  }

  Progress Feed(std::string_view bytes) {
    switch (state_) {
      case State::kHead:
        return FeedHead(bytes);
      case State::kBody:
        return FeedBody(bytes);
      case State::kDone:
        return {};
      case State::kFailed:
        return {.consumed = 0, .error = error_, .again = false};
    }
    return {};
  }

  void LimitBody(std::uint64_t bytes_max) { body_.LimitChunks(bytes_max); }

  [[nodiscard]] bool at_message_start() const {
    return state_ == State::kHead && scanner_.untouched();
  }
  [[nodiscard]] bool in_body() const { return state_ == State::kBody; }

  void Reset() {
    state_ = State::kHead;
    empty_line_skipped_ = false;
    scanner_.Begin(SectionScanner::StartLine::kOne);
    head_.Clear();
  }

  [[nodiscard]] RequestHead& head() { return head_; }

 private:
  enum class State : std::uint8_t { kHead, kBody, kDone, kFailed };

  // Ignores one empty line before a request line, which some clients send after a body (RFC 9112,
  // section 2.2).
  Progress FeedHead(std::string_view bytes) {
    constexpr std::string_view kLineEnd = "\r\n";
    if (scanner_.untouched() && !bytes.empty()) {
      const std::string_view front = bytes.substr(0, kLineEnd.size());
      if (!empty_line_skipped_ && front == kLineEnd) {
        empty_line_skipped_ = true;
        return {.consumed = kLineEnd.size(), .error = nullptr, .again = true};
      }
      if (!empty_line_skipped_ && front == "\r") return {};
      // Fails immediately, because another protocol (TLS) may never send the end of a line.
      if (!Is(front.front(), kTokenChar)) return Fail(&kNoMethod);
    }
    const auto [section_bytes, scan_error] =
        scanner_.Scan(bytes, {.start_line_bytes = limits_.request_line_bytes,
                              .fields_bytes = limits_.header_bytes,
                              .fields_count = limits_.header_count});
    if (scan_error != nullptr)
      return Fail(method_is_too_long(bytes) ? &kMethodTooLong : scan_error);
    if (section_bytes == 0) return {};
    const auto* error = ParseRequestHead(bytes.substr(0, section_bytes), head_);
    if (error != nullptr) return Fail(error);
    state_ = State::kBody;
    body_.Begin(head_.body, ForbiddenTrailers::kRefuse);
    events_.OnRequestHead();
    return {.consumed = section_bytes, .error = nullptr, .again = true};
  }

  // Returns whether the method fills all that a request line may have. Such a request gets 501 (RFC
  // 9112, section 3), because 414 is about the target. `bytes` begin with a refused line.
  [[nodiscard]] bool method_is_too_long(std::string_view bytes) const {
    const std::string_view line_max = bytes.substr(0, limits_.request_line_bytes);
    return line_max.size() == limits_.request_line_bytes &&
           line_max.find_first_of(" \n") == std::string_view::npos;
  }

  Progress FeedBody(std::string_view bytes) {
    const BodyReader::Step step = body_.Next(bytes, limits_);
    if (step.error != nullptr) return Fail(step.error);
    if (step.ended) {
      state_ = State::kDone;
      events_.OnRequestEnd();
      return {.consumed = step.consumed, .error = nullptr, .again = false};
    }
    if (!step.data.empty()) events_.OnRequestBody(step.data);
    return {.consumed = step.consumed, .error = nullptr, .again = !step.data.empty()};
  }

  Progress Fail(const ParseError* error) {
    state_ = State::kFailed;
    error_ = error;
    return {.consumed = 0, .error = error, .again = false};
  }

  const ParserLimits limits_;
  RequestEvents& events_;
  State state_ = State::kHead;
  bool empty_line_skipped_ = false;
  SectionScanner scanner_;
  RequestHead head_;
  BodyReader body_;
  const ParseError* error_ = nullptr;
};

RequestParser::RequestParser(const ParserLimits& limits, RequestEvents& events)
    : impl_(std::make_unique<Impl>(limits, events)) {}
RequestParser::~RequestParser() = default;
RequestParser::Progress RequestParser::Feed(std::string_view bytes) { return impl_->Feed(bytes); }
void RequestParser::LimitBody(std::uint64_t bytes_max) { impl_->LimitBody(bytes_max); }
bool RequestParser::at_message_start() const { return impl_->at_message_start(); }
bool RequestParser::in_body() const { return impl_->in_body(); }
void RequestParser::Reset() { impl_->Reset(); }
RequestHead& RequestParser::head() { return impl_->head(); }

}  // namespace idem::http
