#include "tests/fuzz/second_opinion.h"

#include <llhttp.h>

#include <algorithm>
#include <array>

#include "proxy/http/fields.h"
#include "proxy/http/message.h"

namespace idem::fuzz {

namespace {

// What its callbacks fill. It passes no pointer of its user's but `data`.
struct Reader {
  llhttp_t parser{};
  llhttp_settings_t settings{};
  std::string_view answers;  // the method, for responses
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
  if (parser->type == HTTP_REQUEST) {
    message.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
    return 0;
  }
  // Its user has to say which responses have no body.
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
  return 0;
}

OtherReading Read(llhttp_type_t type, std::string_view method, std::string_view bytes) {
  Reader reader;
  llhttp_settings_init(&reader.settings);
  reader.settings.on_message_begin = OnBegin;
  reader.settings.on_url = OnTarget;
  reader.settings.on_header_field = OnName;
  reader.settings.on_header_value = OnValue;
  reader.settings.on_headers_complete = OnHeadersComplete;
  reader.settings.on_body = OnBody;
  reader.settings.on_message_complete = OnComplete;
  llhttp_init(&reader.parser, type, &reader.settings);
  // Whether a connection is kept is its owner's question, not one of what the bytes say.
  llhttp_set_lenient_keep_alive(&reader.parser, 1);
  reader.parser.data = &reader;
  reader.answers = method;

  llhttp_errno_t error = llhttp_execute(&reader.parser, bytes.data(), bytes.size());
  reader.reading.switched = error == HPE_PAUSED_UPGRADE;
  if (error == HPE_OK && type == HTTP_RESPONSE) error = llhttp_finish(&reader.parser);
  if (error != HPE_OK && !reader.reading.switched) {
    const char* reason = llhttp_get_error_reason(&reader.parser);
    reader.reading.error =
        std::string(llhttp_errno_name(error)) + ": " + (reason == nullptr ? "" : reason);
  }
  return std::move(reader.reading);
}

// But for blanks.
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

bool RefusedExtension(const OtherReading& theirs, std::string_view bytes) {
  const bool about_extension = theirs.error.find("chunk extensions") != std::string::npos ||
                               theirs.error.find("chunk size") != std::string::npos;
  return about_extension && bytes.find(';') != std::string_view::npos;
}

bool MisreadTab(const OtherReading& theirs, std::string_view bytes) {
  const bool about_length = theirs.error.starts_with("HPE_INVALID_CONTENT_LENGTH");
  std::size_t tab = bytes.find('\t');
  for (; tab != std::string_view::npos; tab = bytes.find('\t', tab + 1)) {
    if (about_length || EndsWithChunked(bytes.substr(0, tab))) return true;
  }
  return false;
}

bool LlhttpKnows(std::string_view method) {
#define IDEM_METHOD(number, name, text) #text,
  static constexpr std::array kMethods = {HTTP_METHOD_MAP(IDEM_METHOD)};
#undef IDEM_METHOD
  return std::any_of(kMethods.begin(), kMethods.end(),
                     [&](std::string_view known) { return known == method; });
}

}  // namespace idem::fuzz
