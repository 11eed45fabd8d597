#include "proxy/store/redis/redis_address.h"

#include <doctest/doctest.h>

namespace idem::store {

TEST_CASE("a Redis URL names an address, a user and a database") {
  struct Row {
    const char* url;
    const char* address;
    const char* user;
    const char* password;
    std::uint32_t database;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"redis://127.0.0.1:6379/0", "127.0.0.1:6379", "", "", 0},
           {"redis://127.0.0.1", "127.0.0.1:6379", "", "", 0},
           {"redis://cache.example/3", "cache.example:6379", "", "", 3},
           {"redis://[::1]", "[::1]:6379", "", "", 0},
           {"redis://[::1]:7000/2", "[::1]:7000", "", "", 2},
           {"redis://:secret@h:1", "h:1", "", "secret", 0},
           {"redis://shop:se%3Acr%40et%2F@h:1/9", "h:1", "shop", "se:cr@et/", 9},
           {"unix:///run/redis.sock", "unix:/run/redis.sock", "", "", 0},
           {"unix:///run/a@b.sock?db=4", "unix:/run/a@b.sock", "", "", 4},
           {"unix://shop:pw@/run/redis.sock?db=1", "unix:/run/redis.sock", "shop", "pw", 1},
           {"redis+sentinel://a/m", "m (sentinels a:26379)", "", "", 0},
           {"redis+sentinel://u:pw@a:1,[::1],c:3/my-master/2",
            "my-master (sentinels a:1, [::1]:26379, c:3)", "u", "pw", 2},
       }) {
    CAPTURE(row.url);
    const Result<RedisAddress> address = ParseRedisUrl(row.url);
    REQUIRE(address.has_value());
    CHECK(address->ToText() == row.address);
    CHECK(address->user == row.user);
    CHECK(address->password == row.password);
    CHECK(address->database == row.database);
  }
}

TEST_CASE("what cannot be a Redis URL is refused, and its password is not repeated") {
  for (const char* url :
       {"", "http://h", "redis://", "redis://:TOPSECRET@", "redis://u:TOPSECRET@h:99999",
        "redis://TOPSECRET@h", "redis://u:@h", "redis://u:TOPSECRET%4@h",
        "redis://u:TOPSECRET@h:1/x", "redis://u:TOPSECRET@h:1/1/2", "redis://u:TOPSECRET@h:1/-1",
        "redis://unix:TOPSECRET", "rediss://u:TOPSECRET@h:1/x", "redis+sentinel://u:TOPSECRET@h",
        "redis+sentinel://u:TOPSECRET@h,/m", "redis+sentinel://u:TOPSECRET@h/m/x",
        "unix://run/redis.sock", "unix:///run/redis.sock?x=TOPSECRET"}) {
    CAPTURE(url);
    const Result<RedisAddress> address = ParseRedisUrl(url);
    REQUIRE_FALSE(address.has_value());
    CHECK(address.error().code == ErrorCode::kInvalid);
    CHECK(address.error().detail.find("TOPSECRET") == std::string::npos);
  }
  CHECK(ParseRedisUrl("rediss://h")->tls);
  CHECK_FALSE(ParseRedisUrl("redis://h")->tls);
}

}  // namespace idem::store
