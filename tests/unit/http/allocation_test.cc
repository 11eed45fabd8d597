// Replaces operator new of the whole test program with one that counts on request.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "proxy/http/head_writer.h"
#include "proxy/http/parser.h"

namespace {

thread_local bool counting = false;
thread_local std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
// The nothrow forms too, because std::stable_partition allocates with one form and frees with
// another.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  if (counting) ++allocations;
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace idem::http {

namespace {

struct Ignore final : RequestEvents, ResponseEvents {
  void OnRequestHead() override {}
  void OnRequestBody(std::string_view /*bytes*/) override {}
  void OnRequestEnd() override {}
  void OnResponseHead() override {}
  void OnResponseBody(std::string_view /*bytes*/) override {}
  void OnResponseEnd() override {}
};

template <class Parser>
void FeedWhole(Parser& parser, std::string_view message) {
  for (bool again = true; again;) {
    const auto progress = parser.Feed(message);
    REQUIRE(progress.error == nullptr);
    message.remove_prefix(progress.consumed);
    again = progress.again;
  }
  REQUIRE(message.empty());
}

template <class Work>
std::size_t AllocationsOf(Work work) {
  work();  // warm
  allocations = 0;
  counting = true;
  work();
  counting = false;
  return allocations;
}

}  // namespace

TEST_CASE("a POST of 300 bytes is parsed without an allocation once the parser is warm") {
  const std::string message =
      "POST /orders HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: shop/1.2\r\n"
      "Accept: application/json\r\nIdempotency-Key: \"7f6c1d1e-5a1f-4b7a-9a44-1b1a3c5d7e9f\"\r\n"
      "Content-Type: application/json\r\nX-Signature: 0123456789abcdef0123456789abcdef\r\n"
      "Content-Length: 51\r\n\r\n{\"user_id\":\"u-1\",\"item\":\"book\",\"amount\":\"12.50\"   }";
  CAPTURE(message.size());
  Ignore events;
  RequestParser parser(ParserLimits{}, events);
  CHECK(AllocationsOf([&] {
          FeedWhole(parser, message);
          parser.Reset();
        }) == 0);
}

TEST_CASE("a response is parsed, and its head written again, without an allocation") {
  const std::string message =
      "HTTP/1.1 201 Created\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
      "Content-Length: 5\r\n\r\nhello";
  Ignore events;
  ResponseParser parser(ParserLimits{}, events);
  std::string out;
  CHECK(AllocationsOf([&] {
          parser.Begin("POST");
          FeedWhole(parser, message);
          out.clear();
          parser.head().fields.Remove("Content-Length");
          AppendResponseHead(parser.head(), Version::kHttp11, out);
        }) == 0);
}

}  // namespace idem::http
