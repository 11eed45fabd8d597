// Measures the cost of reading one POST of 300 bytes. Every rule of docs/http.md is checked, and no
// allocation is made.
//
//   bench_parse_post [MESSAGES]     prints nanoseconds of CPU time for each message
//
// `scripts/bench parse` counts instructions, which are repeatable; time is not.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "proxy/http/parser.h"

namespace {

constexpr std::string_view kPost =
    "POST /orders HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: shop/1.2\r\n"
    "Accept: application/json\r\nIdempotency-Key: \"7f6c1d1e-5a1f-4b7a-9a44-1b1a3c5d7e9f\"\r\n"
    "Content-Type: application/json\r\nX-Signature: 0123456789abcdef0123456789abcdef\r\n"
    "Content-Length: 51\r\n\r\n{\"user_id\":\"u-1\",\"item\":\"book\",\"amount\":\"12.50\"   }";

struct Events final : idem::http::RequestEvents {
  void OnRequestHead() override {}
  void OnRequestBody(std::string_view bytes) override { body_bytes += bytes.size(); }
  void OnRequestEnd() override { ++requests; }

  std::size_t body_bytes = 0;
  std::size_t requests = 0;
};

void ReadOne(idem::http::RequestParser& parser) {
  std::string_view rest = kPost;
  for (bool again = true; again;) {
    const auto progress = parser.Feed(rest);
    rest.remove_prefix(progress.consumed);
    again = progress.again;
  }
  parser.Reset();
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t messages = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2'000'000;
  Events events;
  idem::http::RequestParser parser(idem::http::ParserLimits{}, events);
  const std::clock_t begun = std::clock();
  for (std::size_t i = 0; i < messages; ++i) ReadOne(parser);
  const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  if (events.requests != messages) return 1;
  std::printf("%zu bytes, %.0f ns a message\n", kPost.size(),
              seconds * 1e9 / static_cast<double>(messages));
}
