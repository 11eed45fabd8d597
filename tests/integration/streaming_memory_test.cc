// Streamed bodies do not accumulate in the proxy: they are far larger than its memory, and the
// reader or the backend stops reading. The slow side waits until nothing moves any more and then
// continues at full speed.
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/process_memory.h"
#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/test_certificates.h"

namespace idem::support {

namespace {

using support::Conversation;
using support::Response;
using support::ScriptedBackend;

// Under a sanitizer bodies are smaller, because each byte costs more. Growth is printed and not
// checked, because it is mostly the sanitizer's.
constexpr std::uint64_t kGiant = (kSanitized ? 64 : 1024) * kMiB;
constexpr std::size_t kGrowthMax = 16 * kMiB;
constexpr std::uint64_t kHalted = kGiant / 4;  // the most that sockets hold of a halted stream

void CheckGrowth(const MemoryWatch& memory, std::size_t allowed = kGrowthMax) {
  const std::size_t growth = memory.growth_bytes();
  MESSAGE("grew by " << growth / 1024 << " KiB");
  if (!kSanitized) CHECK(growth < allowed);
}

/// Waits until `moved` stands still and returns it. Returning too early only makes the slow side
/// less slow.
std::uint64_t WhereItHalts(const std::atomic<std::uint64_t>& moved) {
  std::uint64_t before = 0;
  for (int still = 0; still < 30; ++still) {
    if (moved == 0 || moved != before) still = 0;
    before = moved;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return before;
}

template <class SendBytes>
void SendGiant(SendBytes send, std::atomic<std::uint64_t>& moved) {
  const std::string piece(64 * 1024, 'x');
  for (std::uint64_t sent = 0; sent < kGiant; sent += piece.size()) {
    send(piece);
    moved += piece.size();
  }
}

std::string GiantHead(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(kGiant) +
         "\r\n\r\n";
}

std::string Yaml(const ScriptedBackend& backend, const std::string& route) {
  return "workers: 2\nstore: { type: memory }\nroutes:\n  - path: /giant\n    upstream: http://" +
         backend.address() + "\n    " + route + "\n";
}

/// Answers "ok" to a path with ?small, so that the allocations of a first request are not counted.
bool AnsweredSmall(Conversation& talk) {
  if (talk.request().target.find("small") == std::string::npos) return false;
  talk.Send(Response(200, "ok"));
  return true;
}

const ScriptedBackend::Options kBeforeBody = {
    .unix_path = {}, .script_before_body = true, .greeting = {}, .receive_buffer_bytes = 0};

/// Reads a giant upload after its release.
void TakeGiant(Conversation& talk, bool is_chunked, std::atomic<std::uint64_t>& received) {
  talk.WaitForRelease();
  std::string tail;
  while (is_chunked ? !tail.ends_with("\r\n0\r\n\r\n") : received < kGiant) {
    const std::string some = talk.ReadSome(std::size_t{16} * 1024);
    if (some.empty()) return;
    received += some.size();
    tail = tail.substr(tail.size() - std::min<std::size_t>(tail.size(), 8)) + some;
  }
  talk.Send(Response(201, "taken"));
}

void SendUpload(HttpClient& client, bool is_chunked, std::atomic<std::uint64_t>& moved) {
  const std::string framing =
      is_chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(kGiant);
  client.Send("PUT /giant HTTP/1.1\r\nHost: test\r\n" + framing + "\r\n\r\n");
  SendGiant(
      [&](const std::string& piece) {
        client.Send(is_chunked ? "10000\r\n" + piece + "\r\n" : piece);
      },
      moved);
  if (is_chunked) client.Send("0\r\n\r\n");
}

/// Two proxies connected by TLS. The first has a TLS backend and the second a TLS client, so the
/// test's own client and backend need no TLS.
class TlsPair {
 public:
  explicit TlsPair(const ScriptedBackend& backend)
      : second_("listen: { address: '127.0.0.1:0', tls: { certificate: " + files_.server() +
                ", key: " + files_.key() + " } }\n" + Yaml(backend, "max_body: 2GiB")),
        first_(
            "workers: 2\nstore: { type: memory }\nupstreams:\n  secure: { url: "
            "'https://127.0.0.1:" +
            std::to_string(second_.port()) + "', tls: { ca: " + files_.ca() +
            ", server_name: localhost } }\n"
            "routes: [{ path: /giant, upstream: secure, max_body: 2GiB }]\n") {
    CHECK(AskOnce(port(), "GET", "/giant?small").status == 200);
    memory_of_second_.emplace(second_.process().pid());
    memory_of_first_.emplace(first_.process().pid());
  }
  [[nodiscard]] std::uint16_t port() const { return first_.port(); }
  void CheckBoth() const {
    CheckGrowth(*memory_of_second_);
    CheckGrowth(*memory_of_first_);
  }

 private:
  support::TestCertificates files_;
  RunningProxy second_;
  RunningProxy first_;
  std::optional<MemoryWatch> memory_of_second_;
  std::optional<MemoryWatch> memory_of_first_;
};

}  // namespace

TEST_CASE("a giant answer waits in the backend while its reader does not read") {
  std::atomic<std::uint64_t> moved = 0;
  ScriptedBackend backend([&](Conversation& talk) {
    if (AnsweredSmall(talk)) return;
    talk.Send(GiantHead(200));
    SendGiant([&](const std::string& piece) { talk.Send(piece); }, moved);
  });
  RunningProxy proxy(Yaml(backend, "methods: [GET]"));
  CHECK(AskOnce(proxy.port(), "GET", "/giant?small").status == 200);

  const MemoryWatch memory(proxy.process().pid());
  HttpClient reader(proxy.port());
  reader.Send(RequestText("GET", "/giant"));
  CHECK(WhereItHalts(moved) < kHalted);
  CHECK(reader.ReadHead().status == 200);
  reader.Drop(kGiant);
  CheckGrowth(memory);
  CHECK(reader.Ask("GET", "/giant?small").body == "ok");
}

TEST_CASE("a giant upload waits in the client while the backend does not read") {
  for (const bool is_chunked : {false, true}) {
    CAPTURE(is_chunked);
    std::atomic<std::uint64_t> moved = 0;
    std::atomic<std::uint64_t> received = 0;
    ScriptedBackend backend(
        [&](Conversation& talk) {
          if (!AnsweredSmall(talk)) TakeGiant(talk, is_chunked, received);
        },
        kBeforeBody);
    RunningProxy proxy(Yaml(backend, "max_body: 2GiB"));
    CHECK(AskOnce(proxy.port(), "GET", "/giant?small").status == 200);

    const MemoryWatch memory(proxy.process().pid());
    HttpClient client(proxy.port());
    std::thread sender([&] { SendUpload(client, is_chunked, moved); });
    const std::uint64_t halted = WhereItHalts(moved);
    backend.Release();
    sender.join();
    CHECK(halted < kHalted);
    CHECK(client.ReadResponse("PUT").status == 201);
    CHECK(received >= kGiant);
    CheckGrowth(memory);
  }
}

TEST_CASE("a giant answer in chunks waits in the backend behind TLS too") {
  std::atomic<std::uint64_t> moved = 0;
  ScriptedBackend backend([&](Conversation& talk) {
    if (AnsweredSmall(talk)) return;
    talk.Send("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n");
    SendGiant([&](const std::string& piece) { talk.Send("10000\r\n" + piece + "\r\n"); }, moved);
    talk.Send("0\r\n\r\n");
  });
  const TlsPair proxies(backend);
  HttpClient reader(proxies.port());
  reader.Send(RequestText("GET", "/giant"));
  CHECK(WhereItHalts(moved) < kGiant);
  CHECK(reader.ReadHead().Field("Transfer-Encoding") == "chunked");
  reader.Drop(kGiant);  // and leaves before the last chunks
  proxies.CheckBoth();
}

TEST_CASE("a giant upload waits in the client behind TLS too") {
  std::atomic<std::uint64_t> moved = 0;
  std::atomic<std::uint64_t> received = 0;
  ScriptedBackend backend(
      [&](Conversation& talk) {
        if (!AnsweredSmall(talk)) TakeGiant(talk, true, received);
      },
      kBeforeBody);
  const TlsPair proxies(backend);
  HttpClient client(proxies.port());
  std::thread sender([&] { SendUpload(client, true, moved); });
  const std::uint64_t halted = WhereItHalts(moved);
  backend.Release();
  sender.join();
  CHECK(halted < kGiant);
  CHECK(client.ReadResponse("PUT").status == 201);
  CHECK(received >= kGiant);
  proxies.CheckBoth();
}

TEST_CASE("an answer too large to keep is recorded without its body, and streams") {
  std::atomic<std::uint64_t> moved = 0;
  ScriptedBackend backend([&](Conversation& talk) {
    if (AnsweredSmall(talk)) return;
    talk.Send(GiantHead(201));
    SendGiant([&](const std::string& piece) { talk.Send(piece); }, moved);
  });
  RunningProxy proxy(Yaml(backend, "idempotency: { max_recorded_body: 1MiB }"));
  const FieldList key = {{"Idempotency-Key", "k-1"}};
  CHECK(AskOnce(proxy.port(), "POST", "/giant?small", {{"Idempotency-Key", "k-0"}}).status == 200);

  const MemoryWatch memory(proxy.process().pid());
  HttpClient reader(proxy.port());
  reader.Send(RequestText("POST", "/giant", key));
  CHECK(WhereItHalts(moved) < kHalted);
  const HttpResponse again = AskOnce(proxy.port(), "POST", "/giant", key);  // during the stream
  CHECK(again.status == 409);
  CHECK(again.body.find("response-not-kept") != std::string::npos);
  CHECK(again.body.find("\"executed_status\":201") != std::string::npos);
  CHECK(reader.ReadHead().status == 201);
  reader.Drop(kGiant);
  CheckGrowth(memory, kGrowthMax + kMiB);
  CHECK(backend.requests_with_key("k-1") == 1);
}

TEST_CASE("a body beyond max_body is refused before it is held") {
  ScriptedBackend backend(support::Always(Response(201, "made")));
  RunningProxy proxy(Yaml(backend, "max_body: 1MiB\n    idempotency: {}"));
  const FieldList key = {{"Idempotency-Key", "k-1"}};
  CHECK(AskOnce(proxy.port(), "POST", "/giant", {{"Idempotency-Key", "k-0"}}).status == 201);

  const MemoryWatch memory(proxy.process().pid());
  HttpClient honest(proxy.port());  // announces its length
  honest.Send("POST /giant HTTP/1.1\r\nHost: test\r\nIdempotency-Key: k-1\r\nContent-Length: " +
              std::to_string(kGiant) + "\r\n\r\n");
  CHECK(honest.ReadResponse("POST").status == 413);

  HttpClient endless(proxy.port());
  endless.Send(
      "POST /giant HTTP/1.1\r\nHost: test\r\nIdempotency-Key: k-1\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  std::atomic<std::uint64_t> moved = 0;
  const std::string chunk = "10000\r\n" + std::string(64 * 1024, 'x') + "\r\n";
  std::thread sender([&] {
    try {
      for (; moved < kGiant; moved += chunk.size()) endless.Send(chunk);
    } catch (const std::runtime_error&) {  // cut off after the answer
    }
  });
  sender.join();
  CHECK(moved < kGiant);
  CheckGrowth(memory, kGrowthMax + kMiB);
  CHECK(backend.requests() == 1);
}

}  // namespace idem::support
