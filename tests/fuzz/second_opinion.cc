#include "tests/fuzz/second_opinion.h"

#include <llhttp.h>

#include <algorithm>
#include <array>
#include <regex>

#include "proxy/http/characters.h"
#include "proxy/http/message.h"
#include "tests/fuzz/fuzz_target.h"

namespace idem::fuzz {

namespace {

// Filled by llhttp's callbacks, which get only this pointer (`data`).
struct Reader {
  llhttp_t parser{};
  llhttp_settings_t settings{};
  std::string_view answers;  // the request's method, for responses
  bool in_trailers = false;
  OtherReading reading;

  OtherMessage& message() { return reading.messages.back(); }
};

Reader& Of(llhttp_t* parser) { return *static_cast<Reader*>(parser->data); }

int OnBegin(llhttp_t* parser) {
  Of(parser).reading.messages.emplace_back();
  Of(parser).in_trailers = false;
  return 0;
}
int OnTarget(llhttp_t* parser, const char* text, std::size_t size) {
  Of(parser).message().target.append(text, size);
  return 0;
}
int OnName(llhttp_t* parser, const char* text, std::size_t size) {
  if (!Of(parser).in_trailers)
    Of(parser).message().fields.emplace_back(std::string(text, size), "");
  return 0;
}
int OnValue(llhttp_t* parser, const char* text, std::size_t size) {
  if (!Of(parser).in_trailers) Of(parser).message().fields.back().second.append(text, size);
  return 0;
}
int OnHeadersComplete(llhttp_t* parser) {
  Reader& reader = Of(parser);
  OtherMessage& message = reader.message();
  reader.in_trailers = true;
  message.head_complete = true;
  parser->upgrade = 0;  // we never upgrade, so HTTP follows
  if (parser->type == HTTP_REQUEST) {
    message.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
    return 0;
  }
  // llhttp's user must say which responses have no body.
  constexpr int kNoBody = 1;
  message.status = parser->status_code;
  const auto status = static_cast<std::uint16_t>(message.status);
  return http::HasNoBody(reader.answers, status) ? kNoBody : 0;
}
int OnBody(llhttp_t* parser, const char* bytes, std::size_t size) {
  Of(parser).message().body.append(bytes, size);
  return 0;
}
int OnComplete(llhttp_t* parser) {
  Of(parser).message().complete = true;
  return HPE_PAUSED;
}

void Set(Reader& reader, llhttp_type_t type) {
  llhttp_settings_init(&reader.settings);
  reader.settings.on_message_begin = OnBegin;
  reader.settings.on_url = OnTarget;
  reader.settings.on_header_field = OnName;
  reader.settings.on_header_value = OnValue;
  reader.settings.on_headers_complete = OnHeadersComplete;
  reader.settings.on_body = OnBody;
  reader.settings.on_message_complete = OnComplete;
  llhttp_init(&reader.parser, type, &reader.settings);
  reader.parser.data = &reader;
}

// Uses a new parser for each message. A parser that continues appends the digits of a
// Content-Length to those of an interim response, and checks whether the connection is kept, which
// does not depend on the bytes.
llhttp_errno_t ReadAll(llhttp_t& parser, std::string_view bytes) {
  for (;;) {
    const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
    if (error != HPE_PAUSED) return error;
    bytes.remove_prefix(static_cast<std::size_t>(llhttp_get_error_pos(&parser) - bytes.data()));
    llhttp_reset(&parser);
  }
}

struct OneReading {
  OtherReading reading;
  std::size_t stopped_at = 0;  // set on an error
};

OneReading ReadOnce(llhttp_type_t type, std::string_view method, std::string_view bytes) {
  Reader reader;
  Set(reader, type);
  reader.answers = method;
  llhttp_errno_t error = ReadAll(reader.parser, bytes);
  if (error == HPE_OK && type == HTTP_RESPONSE) error = llhttp_finish(&reader.parser);
  OneReading one;
  if (error != HPE_OK && error != HPE_PAUSED) {
    const char* reason = llhttp_get_error_reason(&reader.parser);
    const char* position = llhttp_get_error_pos(&reader.parser);
    reader.reading.error =
        std::string(llhttp_errno_name(error)) + ": " + (reason == nullptr ? "" : reason);
    if (position != nullptr) one.stopped_at = static_cast<std::size_t>(position - bytes.data());
  }
  one.reading = std::move(reader.reading);
  return one;
}

// Matches a chunk's size line with extensions (RFC 9112, section 7.1.1), independently of our
// decoder.
bool IsExtendedSizeLine(const std::string& line) {
  static const std::string token = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
  static const std::string quoted = R"re("(?:[^"\\]|\\.)*")re";
  static const std::regex grammar("[0-9A-Fa-f]+(?:[ \t]*;[ \t]*" + token +
                                  "(?:[ \t]*=[ \t]*(?:" + token + "|" + quoted + "))?)+");
  return http::AllAre(line, http::kFieldChar) && std::regex_match(line, grammar);
}

// Removes the extensions of the size line at which llhttp stopped, if they are well-formed.
bool TakeOutExtensions(const OneReading& one, std::string& bytes) {
  constexpr std::size_t kLineBytesMax = 512;
  const std::string& error = one.reading.error;
  const bool about_line = error.find("chunk extensions") != std::string::npos ||
                          error.find("chunk size") != std::string::npos;
  if (!about_line || one.stopped_at == 0) return false;
  const std::size_t begin = bytes.rfind('\n', one.stopped_at - 1) + 1;  // after a head, at least
  const std::size_t end = bytes.find("\r\n", begin);
  if (end == std::string::npos || end - begin > kLineBytesMax) return false;
  const std::string line = bytes.substr(begin, end - begin);
  if (!IsExtendedSizeLine(line)) return false;
  const std::size_t digits = line.find_first_of(" \t;");
  bytes.erase(begin + digits, line.size() - digits);
  return true;
}

OtherReading Read(llhttp_type_t type, std::string_view method, std::string_view bytes) {
  OneReading one = ReadOnce(type, method, bytes);
  for (std::string plainer(bytes); TakeOutExtensions(one, plainer);) {
    one = ReadOnce(type, method, plainer);
  }
  return std::move(one.reading);
}

// Ignores blanks.
bool EndsWithChunked(std::string_view text) {
  constexpr std::string_view kChunked = "chunked";
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  return text.size() >= kChunked.size() &&
         http::EqualsIgnoreCase(text.substr(text.size() - kChunked.size()), kChunked);
}

}  // namespace

OtherReading ReadRequestsWithLlhttp(std::string_view bytes) {
  return Read(HTTP_REQUEST, "", bytes);
}

OtherReading ReadResponsesWithLlhttp(std::string_view method, std::string_view bytes) {
  return Read(HTTP_RESPONSE, method, bytes);
}

bool MisreadTab(const OtherReading& theirs, std::string_view bytes) {
  const bool about_length = theirs.error.starts_with("HPE_INVALID_CONTENT_LENGTH");
  std::size_t tab = bytes.find('\t');
  for (; tab != std::string_view::npos; tab = bytes.find('\t', tab + 1)) {
    if (about_length || EndsWithChunked(bytes.substr(0, tab))) return true;
  }
  return false;
}

std::string WithBlanksForTabs(std::string_view bytes) {
  std::string blanks(bytes);
  std::replace(blanks.begin(), blanks.end(), '\t', ' ');
  return blanks;
}

void DemandSameFields(const http::Fields& ours, const OtherMessage& theirs,
                      std::string_view apart) {
  const auto is_apart = [&](std::string_view name) { return http::EqualsIgnoreCase(name, apart); };
  std::string our_lines;
  for (const http::FieldLine line : ours) {
    if (is_apart(line.name)) continue;
    our_lines.append(line.name).append("=").append(line.value).append("\n");
  }
  std::string their_lines;
  for (const auto& [name, value] : theirs.fields) {
    if (is_apart(name)) continue;
    const std::size_t end =
        value.find_last_not_of(" \t") + 1;  // llhttp keeps the blanks after a value
    their_lines.append(name).append("=").append(value, 0, end).append("\n");
  }
  DemandSame(our_lines, their_lines, "the fields are the same");
}

bool LlhttpKnows(std::string_view method) {
#define IDEM_METHOD(number, name, text) #text,
  static constexpr std::array kMethods = {HTTP_METHOD_MAP(IDEM_METHOD)};
#undef IDEM_METHOD
  return std::any_of(kMethods.begin(), kMethods.end(),
                     [&](std::string_view known) { return known == method; });
}

}  // namespace idem::fuzz
