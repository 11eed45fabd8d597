#include "proxy/http/section_scanner.h"

namespace idem::http {

namespace {

constexpr ParseError kLineTooLong{414, "uri-too-long", "the request line is too long"};
constexpr ParseError kFieldsTooLarge{431, "headers-too-large", "the header fields are too large"};
constexpr ParseError kTooManyFields{431, "headers-too-large", "there are too many header fields"};
constexpr ParseError kBareLineFeed{400, "bad-request", "a line does not end in CR LF"};
constexpr ParseError kEmptyStartLine{400, "bad-request", "an empty line in place of a start line"};
constexpr ParseError kBareReturn{400, "bad-request", "a line begins with a CR"};
constexpr ParseError kFolded{400, "bad-request", "a header line begins with a blank"};

// Only an empty line may begin with CR. The error is reported immediately, because a peer that
// sends it in place of the section's end sends nothing more.
bool BeginsWithBareReturn(std::string_view line) {
  return line.size() >= 2 && line[0] == '\r' && line[1] != '\n';
}

}  // namespace

void SectionScanner::Begin(StartLine start_line) {
  *this = {};
  in_start_line_ = start_line == StartLine::kOne;
}

SectionScanner::Progress SectionScanner::Scan(std::string_view bytes, const Limits& limits) {
  for (;;) {
    if (BeginsWithBareReturn(bytes.substr(line_begin_))) return {0, &kBareReturn};
    const std::size_t line_feed = bytes.find('\n', scanned_);
    const bool line_is_complete = line_feed != std::string_view::npos;
    scanned_ = line_is_complete ? line_feed + 1 : bytes.size();
    // The size is checked before the form, so that a line which is too long gets the same error
    // however its pieces arrive.
    if (const auto* error = CheckSize(scanned_, line_is_complete, limits)) return {0, error};
    if (!line_is_complete) return {};

    std::string_view line = bytes.substr(line_begin_, line_feed - line_begin_);
    if (line.empty() || line.back() != '\r') return {0, &kBareLineFeed};
    line.remove_suffix(1);
    line_begin_ = scanned_;
    if (in_start_line_) {
      if (line.empty()) return {0, &kEmptyStartLine};
      in_start_line_ = false;
      fields_begin_ = scanned_;
    } else if (line.empty()) {
      return {scanned_, nullptr};
    } else if (const auto* error = TakeFieldLine(line, limits)) {
      return {0, error};
    }
  }
}

// An incomplete line may still end in CR LF, or be the empty line at the section's end, so two of
// its bytes are not counted.
const ParseError* SectionScanner::CheckSize(std::size_t scanned_bytes, bool line_is_complete,
                                            const Limits& limits) const {
  const std::size_t line_bytes = scanned_bytes - line_begin_;
  if (in_start_line_) {
    const std::size_t line_end_bytes = line_is_complete ? 2 : 1;
    return line_bytes > limits.start_line_bytes + line_end_bytes ? &kLineTooLong : nullptr;
  }
  const bool may_be_the_end = line_bytes <= 2;
  const bool too_large = scanned_bytes - fields_begin_ > limits.fields_bytes;
  return too_large && !may_be_the_end ? &kFieldsTooLarge : nullptr;
}

const ParseError* SectionScanner::TakeFieldLine(std::string_view line, const Limits& limits) {
  if (line.front() == ' ' || line.front() == '\t') return &kFolded;
  return ++fields_count_ > limits.fields_count ? &kTooManyFields : nullptr;
}

}  // namespace idem::http
