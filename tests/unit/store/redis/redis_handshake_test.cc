#include "proxy/store/redis/redis_handshake.h"

#include <doctest/doctest.h>

#include <optional>

namespace idem::store {
namespace {

std::string Bulk(std::string_view text) {
  std::string out;
  AppendRedisArgument(text, out);
  return out;
}

const std::string kDurable =
    "# Server\r\nredis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\n"
    "maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
const std::string kAlways = "*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n";
const std::string kForbidden = "-NOPERM this user has no permissions\r\n";

std::string SevenNames() {
  std::string out;
  for (std::size_t i = 0; i < kRedisScriptCount; ++i) out += Bulk(std::string(40, 'a'));
  return out;
}

/// Returns how a handshake with these replies ends, or nullopt if it waits for more.
std::optional<Status> Greet(const RedisAddress& address, bool require_durable,
                            const std::string& replies, RedisServerSettings* facts = nullptr) {
  RedisHandshake greeting(address, require_durable);
  RedisReader reader;
  reader.Feed(replies);
  while (true) {
    Result<RedisReply> reply = reader.Next();
    REQUIRE(reply.has_value());
    if (!*reply) return {};
    std::optional<Status> ended = greeting.Take(reply->value());
    if (facts != nullptr) *facts = greeting.settings();
    if (ended) return ended;
  }
}

const RedisAddress kPlain{.endpoint = {.host = "h", .port = 1, .unix_path = ""},
                          .user = "",
                          .password = "",
                          .database = 0};
const RedisAddress kWithPassword{.endpoint = {.host = "h", .port = 1, .unix_path = ""},
                                 .user = "shop",
                                 .password = "TOPSECRET",
                                 .database = 0};

}  // namespace

TEST_CASE("a greeting ends when every script has its name") {
  RedisServerSettings facts;
  const auto ended = Greet(kPlain, true, Bulk(kDurable) + kAlways + SevenNames(), &facts);
  REQUIRE(ended);
  CHECK(ended->has_value());
  CHECK(facts.version == "7.0.15");
  CHECK(DurabilityRisks(facts).empty());
  CHECK_FALSE(Greet(kPlain, true, Bulk(kDurable) + kAlways));
}

TEST_CASE("a server that cannot be used is refused with one line that says what to do") {
  struct Row {
    const RedisAddress& address;
    std::string replies;
    const char* says;
  };
  const std::string replica = "role:slave\r\nslave_read_only:1\r\n";
  for (const Row& row : std::initializer_list<Row>{
           {kWithPassword, "-WRONGPASS invalid username-password pair\r\n",
            "Redis at h:1 refuses the user or the password of store.url (WRONGPASS)"},
           {kWithPassword, "-ERR AUTH <password> called without any password configured\r\n",
            "Redis at h:1 takes no password, but store.url has one"},
           {kWithPassword, "-ERR max number of clients reached\r\n",
            "Redis at h:1 has as many clients as it takes; raise its maxclients (ERR max number of "
            "clients)"},
           {kPlain, "-NOAUTH Authentication required.\r\n",
            "Redis at h:1 asks for a password; put it into store.url (NOAUTH)"},
           {kPlain, Bulk("cluster_enabled:1\r\n") + kForbidden,
            "Redis at h:1 is a cluster, which is not supported yet"},
           {kPlain, Bulk(replica) + kForbidden,
            "Redis at h:1 is a replica and takes no writes; store.url must name the primary"},
           {kPlain, Bulk(kDurable) + kAlways + "-LOADING Redis is loading\r\n",
            "Redis at h:1 is loading its data; it will be ready by itself (LOADING)"},
           {kPlain, Bulk(kDurable) + kAlways + Bulk("no name"),
            "Redis at h:1 does not load scripts"},
       }) {
    CAPTURE(row.says);
    const auto ended = Greet(row.address, false, row.replies);
    REQUIRE(ended);
    REQUIRE_FALSE(ended->has_value());
    CHECK(ended->error().detail == row.says);
  }
}

TEST_CASE(
    "each thing by which a server may forget is told, and what it hides counts as the worse") {
  struct Row {
    std::string info;
    std::string config;
    std::size_t reasons;
  };
  const auto with = [](std::string_view line) { return Bulk(kDurable + std::string(line)); };
  for (const Row& row : std::initializer_list<Row>{
           {with(""), kAlways, 0},
           {with(""), "*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n", 1},
           {with(""), kForbidden, 1},
           {with("aof_enabled:0\r\n"), kAlways, 1},
           {with("maxmemory_policy:volatile-lru\r\n"), kAlways, 1},
           {with("role:slave\r\nslave_read_only:0\r\n"), kAlways, 1},
           {with("maxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n"), kForbidden, 2},
           {kForbidden, kForbidden, 2},
       }) {
    CAPTURE(row.info);
    CAPTURE(row.config);
    RedisServerSettings facts;
    const auto ended = Greet(kPlain, false, row.info + row.config + SevenNames(), &facts);
    REQUIRE(ended);
    CHECK(ended->has_value());
    CHECK(DurabilityRisks(facts).size() == row.reasons);
    const auto strict = Greet(kPlain, true, row.info + row.config + SevenNames());
    REQUIRE(strict);
    CHECK(strict->has_value() == (row.reasons == 0));
  }
}

TEST_CASE("an error reply is explained without repeating what it quotes") {
  struct Row {
    const char* error;
    ErrorCode code;
    const char* detail;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"OOM command not allowed when used memory > 'maxmemory'", ErrorCode::kRefused,
            "Redis has no memory left; raise its maxmemory (OOM)"},
           {"ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write",
            ErrorCode::kRefused,
            "Redis is a replica and takes no writes; store.url must name the primary (READONLY)"},
           {"ERR max number of clients reached", ErrorCode::kUnavailable,
            "Redis has as many clients as it takes; raise its maxclients (ERR max number of "
            "clients)"},
           {"CORRUPT the value", ErrorCode::kCorrupt,
            "Redis holds a value that is no record under a record's key (CORRUPT)"},
           {"ERR unknown command 'EVALSHA', with args beginning with: 'TOPSECRET'",
            ErrorCode::kRefused, "Redis answered a command with ERR"},
           {"TOPSECRET: x", ErrorCode::kRefused, "Redis answered a command with an error"},
           {"", ErrorCode::kRefused, "Redis answered a command with an error"},
       }) {
    CAPTURE(row.error);
    const Error error = ExplainRedisError("Redis", row.error);
    CHECK(error.code == row.code);
    CHECK(error.detail == row.detail);
  }
}

TEST_CASE("what is not Redis's protocol is an error of the stream") {
  RedisReader reader;
  reader.Feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK_FALSE(reader.Next().has_value());
}

TEST_CASE("a reply is read in pieces, and a value answers nothing that it is not") {
  RedisReader reader;
  for (const char c : std::string("*3\r\n:7\r\n$2\r\nhi\r\n$-1\r\n")) {
    const Result<RedisReply> none = reader.Next();
    REQUIRE(none.has_value());
    CHECK_FALSE(*none);
    reader.Feed(std::string_view(&c, 1));
  }
  const Result<RedisReply> reply = reader.Next();
  REQUIRE(reply.has_value());
  const RedisValue list = reply->value();
  CHECK(list.size() == 3);
  CHECK(list.at(0).integer() == 7);
  CHECK(list.at(1).text() == "hi");
  CHECK(list.at(2).nil());
  CHECK_FALSE(list.at(3).integer());
  CHECK_FALSE(list.at(0).text());
  CHECK_FALSE(list.at(1).integer());
  CHECK_FALSE(list.text());
  CHECK_FALSE(list.at(2).error());
  CHECK(list.at(2).size() == 0);
}

}  // namespace idem::store
