// The order on which the promise rests, as the kernel sees it: the claim is durable before the
// backend gets a byte, and the answer is durable before its caller gets it.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/strace.h"

namespace idem::support {

namespace {

using support::Conversation;
using support::Response;
using support::ScriptedBackend;

/// One system call in a trace made with -f -y. The lines at which it began and ended give the
/// kernel's order of calls across threads.
struct Call {
  std::string name;
  std::string arguments;  // its arguments and results
  std::string result;
  std::size_t begun = 0;
  std::size_t ended = 0;

  [[nodiscard]] bool On(std::string_view file) const {
    return arguments.find(file) < arguments.find('>');  // "7</the/file>, ..."
  }
  [[nodiscard]] bool Holds(std::string_view text) const {
    return arguments.find(text) != std::string::npos;
  }
};

/// Parses "ID name(arguments) = result". If threads interleave, a call is "ID name(arguments
/// <unfinished ...>" and later "ID <... name resumed>rest) = result".
std::vector<Call> CallsIn(const std::vector<std::string>& trace) {
  constexpr std::string_view kUnfinished = " <unfinished ...>";
  constexpr std::string_view kResumed = " resumed>";
  std::vector<Call> calls;
  std::map<std::string, std::size_t> unfinished;  // by thread
  for (std::size_t line = 0; line < trace.size(); ++line) {
    const std::string& text = trace[line];
    const std::string thread = text.substr(0, text.find(' '));
    std::string rest =
        text.substr(std::min(text.size(), text.find_first_not_of(' ', thread.size())));
    if (rest.starts_with("<... ")) {
      const auto found = unfinished.find(thread);
      if (found == unfinished.end()) continue;
      Call& call = calls[found->second];
      call.arguments += rest.substr(rest.find(kResumed) + kResumed.size());
      call.ended = line;
      unfinished.erase(found);
    } else if (rest.find('(') != std::string::npos && !rest.starts_with("---")) {
      const std::size_t open = rest.find('(');
      const bool is_whole = !rest.ends_with(kUnfinished);
      if (!is_whole) unfinished[thread] = calls.size();
      calls.push_back({rest.substr(0, open), rest.substr(open + 1), "", line, line});
      if (!is_whole) calls.back().ended = trace.size();
    }
  }
  for (Call& call : calls) {
    const std::size_t equals = call.arguments.rfind(" = ");
    if (equals != std::string::npos) call.result = call.arguments.substr(equals + 3);
  }
  return calls;
}

/// Returns whether the call sends to a socket, which strace calls "TCP:[...]" or "socket:[...]".
bool Sends(const Call& call) {
  const bool is_sending = call.name == "sendmsg" || call.name == "sendto" ||
                          call.name == "writev" || call.name == "write";
  return is_sending && (call.On("<TCP:") || call.On("<socket:"));
}

/// Checks that the first call that sends `sent` begins after `written` went to the log and a sync
/// of the log that began after that has succeeded. Returns the fault, or "".
std::string OrderOf(const std::vector<Call>& calls, std::string_view written,
                    std::string_view sent) {
  const auto write = std::ranges::find_if(calls, [&](const Call& call) {
    return call.name == "write" && call.On(".log") && call.Holds(written);
  });
  const auto send = std::ranges::find_if(
      calls, [&](const Call& call) { return Sends(call) && call.Holds(sent); });
  if (write == calls.end()) return "never written: " + std::string(written);
  if (send == calls.end()) return "never sent: " + std::string(sent);
  const auto sync = std::ranges::find_if(calls, [&](const Call& call) {
    return (call.name == "fdatasync" || call.name == "fsync") && call.On(".log") &&
           call.begun > write->ended && call.result.starts_with("0");
  });
  if (sync == calls.end() || sync->ended > send->begun) {
    return "sent before it was durable: " + std::string(sent);
  }
  return "";
}

/// Sends sixteen keys, eight at a time, through a proxy under strace. Returns the faults in their
/// order.
std::vector<std::string> TraceSomeOrders(const std::string& durability, std::vector<Call>& calls,
                                         std::string& store_path) {
  constexpr int kCallers = 8;
  ScriptedBackend backend([](Conversation& talk) {
    talk.Send(Response(201, "answer-to-" + talk.request().Field("Idempotency-Key") + "."));
  });
  const TempFolder folder;
  const std::string trace = folder.path() + "/trace";
  store_path = folder.path() + "/new/db";
  RunningProxy proxy("workers: 2\nstore: { type: embedded, durability: " + durability + ", path: " +
                         store_path + " }\nroutes:\n  - path: /orders\n    upstream: http://" +
                         backend.address() + "\n    idempotency: {}\n",
                     {"-y", "-s", "65536", "-o", trace, "-e",
                      "trace=write,writev,sendmsg,sendto,fdatasync,fsync,mkdir"});
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (const std::string round : {"a", "b"}) {
        const std::string key = "key-" + round + std::to_string(caller);
        AskOnce(proxy.port(), "POST", "/orders", {{"Idempotency-Key", key}}, "{}");
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(proxy.Stop() == 0);
  calls = CallsIn(ReadTrace(trace));

  std::vector<std::string> wrong;
  const auto note = [&](const std::string& what) {
    if (!what.empty()) wrong.push_back(what);
  };
  for (int caller = 0; caller < kCallers; ++caller) {
    for (const std::string round : {"a", "b"}) {
      const std::string key = "key-" + round + std::to_string(caller);
      note(OrderOf(calls, ";" + key, "Idempotency-Key: " + key));
      note(OrderOf(calls, "answer-to-" + key + ".", "answer-to-" + key + "."));
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE(
    "no byte goes to the backend before its claim is durable, and none of the answer to its "
    "caller") {
  std::vector<Call> calls;
  std::string store_path;
  for (const std::string& wrong : TraceSomeOrders("fsync", calls, store_path)) FAIL_CHECK(wrong);

  // The folder is new, so its name in the folder above must be synced too, and that folder's name.
  const auto is_synced_early = [&](const std::string& folder) {
    const auto listening = std::ranges::find_if(
        calls, [](const Call& call) { return call.Holds("\\\"event\\\":\\\"listening\\\""); });
    REQUIRE(listening != calls.end());
    return std::any_of(calls.begin(), listening, [&](const Call& call) {
      return call.name == "fsync" && call.On("<" + folder + ">");
    });
  };
  CHECK(is_synced_early(store_path + "/records"));
  CHECK(is_synced_early(store_path));
  CHECK(is_synced_early(store_path.substr(0, store_path.rfind('/'))));
  CHECK(is_synced_early(store_path.substr(0, store_path.rfind("/new/"))));
}

TEST_CASE("a store that does not sync is seen to send before anything is durable") {
  std::vector<Call> calls;
  std::string store_path;
  const std::vector<std::string> wrong = TraceSomeOrders("os", calls, store_path);
  CHECK(wrong.size() == 32);
  for (const std::string& finding : wrong) CHECK(finding.starts_with("sent before"));
}

}  // namespace idem::support
