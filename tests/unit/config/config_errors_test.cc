// The exact error lines for faulty files.
#include "tests/unit/config/support.h"

namespace idem::config {

namespace {

struct Row {
  std::string text;
  std::string lines;
};

// The text of each row follows `before`.
void CheckRows(const std::vector<Row>& rows, const std::string& before = "") {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(JoinLines(MistakesOf(before + row.text)) == row.lines);
  }
}

// Rows start at line 3 of a file whose only route is good.
void CheckSections(const std::vector<Row>& rows) {
  CheckRows(rows, "routes:\n- {path: /a, upstream: http://b}\n");
}

// Rows start at line 5, inside a route of a file with a client named shop.
void CheckRoutes(const std::vector<Row>& rows) {
  CheckRows(rows,
            "clients: [{id: shop, secrets: [s]}]\nroutes:\n- path: /a\n  upstream: http://b\n  ");
}

const std::string kTopKeys =
    "admin, clients, defaults, limits, listen, log, routes, shutdown_grace, store, "
    "trusted_proxies, upstreams or workers";

}  // namespace

TEST_CASE("what is not one YAML map is refused at its place") {
  CheckRows({
      {"", "f:1:1: routes: is missing\n"},
      {"# nothing\n", "f:1:1: routes: is missing\n"},
      {"[1]", "f:1:1: must be a map of keys such as `routes:`\n"},
      {"text", "f:1:1: must be a map of keys such as `routes:`\n"},
      {"routes:\n\t- a", "f:2:2: is not YAML: illegal block entry\n"},
      {"routes: [", "f:1:1: is not YAML: end of sequence flow not found\n"},
      {"listen: [${ADDRESS}]",
       "f:1:11: is not YAML: end of sequence flow not found; inside {} and [], ${...} needs "
       "quotes\n"},
      {"routes: *nobody", "f:1:9: is not YAML: the referenced anchor is not defined\n"},
  });
  CheckSections({
      {"---\nx: 1", "f:3:1: a second document begins here; a file may contain only one\n"},
      {"log: !!map {}", "f:3:6: log: has a tag (tag:yaml.org,2002:map), which is not supported\n"},
      {"? [x]\n: 1",
       "f:3:3: has a key that is not a text\nf:3:3: is not a known key; allowed here: " + kTopKeys +
           "\n"},
  });
}

TEST_CASE("an alias stands for what it names, and may not hold itself") {
  CHECK(MistakesOf("routes:\n"
                   "- {path: /a, upstream: http://b, rate_limit: &limit {requests: 1, per: 1m}}\n"
                   "- {path: /b, upstream: http://b, rate_limit: *limit}\n")
            .empty());
  CheckRows({{"routes: &all\n- {path: /a, upstream: *all}",
              "f:2:14: routes[0].upstream: is missing\n"
              "f:2:24: routes[0].upstream: is an alias of a value that contains it\n"}});
}

TEST_CASE("aliases of aliases do not fill the memory") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    text += name + ": &" + name + " [" + last;
    for (int j = 0; j < 9; ++j) text += ", " + last;
    text += "]\n";
  }
  CHECK(JoinLines(MistakesOf(text)).find("exceeds the limit of 100000 values") !=
        std::string::npos);
  CHECK(JoinLines(MistakesOf(std::string(1000, '['))).starts_with("f:1:"));
}

TEST_CASE("an unknown key is reported with the nearest known one, or with all of them") {
  CheckSections({
      {"lisen: 127.0.0.1:80", "f:3:1: lisen: is not a known key; did you mean `listen`?\n"},
      {"log: {colour: red}",
       "f:3:7: log.colour: is not a known key; allowed here: format or level\n"},
      {"store: {Path: x}", "f:3:9: store.Path: is not a known key; did you mean `path`?\n"},
  });
}

TEST_CASE("a key that is given twice is a mistake, and the first value stays") {
  CheckSections({
      {"workers: 1\nworkers: none", "f:4:1: workers: is given twice; the first is in line 3\n"},
      {"upstreams:\n  a: {url: http://x}\n  a: {url: http://y}",
       "f:5:3: upstreams.a: is given twice; the first is in line 4\n"},
  });
}

TEST_CASE("the process's own keys are checked") {
  CheckSections({
      {"listen: 8080",
       "f:3:9: listen: '8080' is not an address: expected HOST:PORT, [IPV6]:PORT or unix:PATH\n"},
      {"listen: localhost:80",
       "f:3:9: listen: must be an IP address, not a name: the proxy listens on it\n"},
      {"listen: []", "f:3:9: listen: must have at least one address\n"},
      {"listen: [127.0.0.1:80, 127.0.0.1:80]",
       "f:3:24: listen[1]: is already the address of another listener\n"},
      {"listen: 127.0.0.1:9901", "f:3:9: listen: is also the address of `admin`\n"},
      {"listen: {}", "f:3:9: listen.address: is missing\n"},
      {"admin: 127.0.0.1:80", "f:3:8: admin: must be a map, not a text\n"},
      {"admin: {listen: 0.0.0.0:9901}",
       "f:3:17: admin.listen: can be reached by other machines, and anyone who reaches it can "
       "settle records: set admin.token or admin.token_file, or listen on loopback or a Unix "
       "socket\n"},
      {"admin: {listen: 0.0.0.0:9901, token: too-short}",
       "f:3:17: admin.listen: can be reached by other machines, and anyone who reaches it can "
       "settle records: set admin.token or admin.token_file, or listen on loopback or a Unix "
       "socket\n"
       "f:3:38: admin.token: must be 16 to 512 characters from ! to ~\n"},
      {"admin: {token: \"with a blank in it\"}",
       "f:3:16: admin.token: must be 16 to 512 characters from ! to ~\n"},
      {"admin: {token: 0123456789abcdef, token_file: x}",
       "f:3:46: admin.token_file: conflicts with `token`: set only one of the two\n"},
      {"admin: {token_file: /nowhere/token}",
       "f:3:21: admin.token_file: cannot be read: No such file or directory\n"},
      {"workers: 0", "f:3:10: workers: must be from 1 to 256\n"},
      {"workers: \"2\"", "f:3:10: workers: must be a whole number from 1 to 256\n"},
      {"workers: [2]", "f:3:10: workers: must be a whole number from 1 to 256\n"},
      {"log: {level: inf}",
       "f:3:14: log.level: must be debug, info, warn or error; did you mean `info`?\n"},
      {"log: json", "f:3:6: log: must be a map, not a text\n"},
      {"shutdown_grace: 25h", "f:3:17: shutdown_grace: must be from 0ms to 24h\n"},
      {"shutdown_grace: soon",
       "f:3:17: shutdown_grace: is not a duration such as 250ms, 30s, 5m, 24h or 7d\n"},
      {"trusted_proxies: 10.0.0.0/8", "f:3:18: trusted_proxies: must be a list, not a text\n"},
      {"trusted_proxies: [10.0.0.1/8]",
       "f:3:19: trusted_proxies[0]: has address bits beyond its prefix\n"},
      {"limits: {connections: 0}", "f:3:23: limits.connections: must be from 1 to 1000000\n"},
      {"limits: {body: 5MB}",
       "f:3:16: limits.body: is not a size such as 512, 64KiB, 1MiB or 2GiB\n"},
      {"limits: {headers: 1GiB}", "f:3:19: limits.headers: must be from 256 to 1MiB\n"},
      {"limits: {idle_timeout: 99999999999999999999s}",
       "f:3:24: limits.idle_timeout: is too long a time\n"},
  });
}

TEST_CASE("the store's keys are checked, and its URL is never shown") {
  CheckSections({
      {"store: {type: rediss}",
       "f:3:15: store.type: must be embedded, memory, redis or postgres; did you mean `redis`?\n"},
      {"store: {type: redis, url: \"postgres://me:secret@h\"}",
       "f:3:27: store.url: must be of the form redis://[user:password@]host:port/db, "
       "redis+sentinel://[user:password@]host:port,host:port/master/db or "
       "unix://[:password@]/path, with % in a password as %25 and / as %2F\n"},
      {"store: {type: redis, url: \"redis://:sec/ret@h\"}",
       "f:3:27: store.url: must be of the form redis://[user:password@]host:port/db, "
       "redis+sentinel://[user:password@]host:port,host:port/master/db or "
       "unix://[:password@]/path, with % in a password as %25 and / as %2F\n"},
      {"store: {type: postgres, url: \"postgres://me:sec/ret@h/db\"}",
       "f:3:30: store.url: must be of the form postgres://user:password@host:port/database, with % "
       "in a password as %25 and / as %2F; one host, and after a ? only parameters of libpq\n"},
      {"store: {type: postgres, url: \"postgres://me@h/db?sslmod=require\"}",
       "f:3:30: store.url: must be of the form postgres://user:password@host:port/database, with % "
       "in a password as %25 and / as %2F; one host, and after a ? only parameters of libpq\n"},
      {"store: {key_prefix: \"a b\"}",
       "f:3:21: store.key_prefix: must be at most 64 characters from ! to ~\n"},
      {"store: {require_durable: yes}", "f:3:26: store.require_durable: must be true or false\n"},
      {"store: {path: \"\"}", "f:3:15: store.path: must not be empty\n"},
      {"store: {max_size: 1MiB}", "f:3:19: store.max_size: must be from 16MiB to 16384GiB\n"},
  });
}

TEST_CASE("clients have distinct ids and at least one secret, which is never shown") {
  CheckSections({
      {"clients: [{id: a, secrets: [x]}, {id: a, secrets: [y]}]",
       "f:3:39: clients[1].id: is already the id of clients[0] (line 3)\n"},
      {"clients: [{secrets: [x]}]", "f:3:11: clients[0].id: is missing\n"},
      {"clients: [{id: a b, secrets: [x]}]",
       "f:3:16: clients[0].id: must be 1 to 255 characters from ! to ~\n"},
      {"clients: [{id: a}]",
       "f:3:11: clients[0].secrets: must have at least one, here or in secrets_file\n"},
      {"clients: [{id: a, secrets: []}]",
       "f:3:28: clients[0].secrets: must have at least one, here or in secrets_file\n"},
      {"clients: [{id: a, secrets: [\"\"]}]",
       "f:3:29: clients[0].secrets[0]: is an empty secret, with which anyone could sign\n"},
      {"clients: [{id: a, secrets: [\"$SHOP_SECRET\"]}]",
       "f:3:29: clients[0].secrets[0]: is a variable's name and not its value: write ${NAME}\n"},
      {"clients: [{id: a, secrets: [\" x\"]}]",
       "f:3:29: clients[0].secrets[0]: has a blank at an end, which no caller signs with\n"},
      {"clients: [{id: a, secrets: [\"# new\"]}]",
       "f:3:29: clients[0].secrets[0]: begins with #: a comment would be a secret, so it is "
       "refused\n"},
      {"clients: [{id: a, secrets: secret}]",
       "f:3:28: clients[0].secrets: must be a list, not a text\n"},
      {"clients: [{id: a, secrets_file: /does/not/exist}]",
       "f:3:33: clients[0].secrets_file: cannot be read: No such file or directory\n"},
  });
}

TEST_CASE("upstreams are URLs of a host and a port") {
  CheckSections({
      {"upstreams: {a: }", "f:3:13: upstreams.a.url: is missing\n"},
      {"upstreams: {a: http://b}", "f:3:16: upstreams.a: must be a map, not a text\n"},
      {"upstreams: {a: {url: b:80}}",
       "f:3:22: upstreams.a.url: must be a URL such as http://127.0.0.1:9000 or "
       "http://unix:/run/backend.sock\n"},
      {"upstreams: {a: {url: \"unix:/run/b.sock\"}}",
       "f:3:22: upstreams.a.url: must be a URL such as http://127.0.0.1:9000 or "
       "http://unix:/run/backend.sock\n"},
      {"upstreams: {a: {url: \"https://unix:/run/b.sock\"}}",
       "f:3:22: upstreams.a.url: must begin with http://, because a Unix socket is used without "
       "TLS\n"},
      {"upstreams: {a: {url: \"http://unix:/" + std::string(107, 'p') + "\"}}",
       "f:3:22: upstreams.a.url: 'unix:/" + std::string(107, 'p') +
           "' is not an address: the path is longer than 107 bytes\n"},
      {"upstreams: {a: {url: \"http://b/c\"}}",
       "f:3:22: upstreams.a.url: must end after host and port: the path comes from each request\n"},
      {"upstreams: {a: {url: \"http://u:p@b\"}}",
       "f:3:22: upstreams.a.url: must not contain a user or a password\n"},
      {"upstreams: {a: {url: \"http://b:0\"}}",
       "f:3:22: upstreams.a.url: must name a host, and a port from 1 to 65535, such as "
       "http://127.0.0.1:9000\n"},
      {"upstreams: {a: {url: http://b, tls: {verify: false}}}",
       "f:3:37: upstreams.a.tls: has no effect on an http:// URL; write https://\n"},
      {"upstreams: {a: {url: http://b, tls: {certificate: x}}}",
       "f:3:37: upstreams.a.tls: has no effect on an http:// URL; write https://\n"
       "f:3:37: upstreams.a.tls.key: is missing: `certificate` and `key` go together\n"},
      {"upstreams: {a: {url: http://b, keepalive: -1}}",
       "f:3:43: upstreams.a.keepalive: must be a whole number from 0 to 100000\n"},
  });
}

TEST_CASE("a route needs a path, an upstream and a name of its own") {
  CheckRows({
      {"routes: []", "f:1:9: routes: must have at least one\n"},
      {"routes: {path: /a}", "f:1:9: routes: must be a list, not a map\n"},
      {"routes: [5]", "f:1:10: routes[0]: must be a map, not a text\n"},
      {"routes: [{upstream: http://b}]", "f:1:10: routes[0].path: is missing\n"},
      {"routes: [{path: /a}]", "f:1:10: routes[0].upstream: is missing\n"},
      {"routes: [{path: /a, path_prefix: /b, upstream: http://b}]",
       "f:1:34: routes[0].path_prefix: cannot be combined with path\n"},
      {"routes: [{path: a, upstream: http://b}]", "f:1:17: routes[0].path: must begin with /\n"},
      {"routes: [{path: /a/../b, upstream: http://b}]",
       "f:1:17: routes[0].path: would never match: write it in its normal form, /b\n"},
      {"routes: [{path: /payments/*, upstream: http://b}]",
       "f:1:17: routes[0].path: contains *, which is no wildcard here: use path_prefix for all "
       "paths "
       "below one\n"},
      {"routes: [{path_prefix: /, upstream: http://b}, {path: /pay, upstream: http://b, "
       "idempotency: "
       "{}}]",
       "f:1:55: routes[1].path: is never reached: route `/` (line 1) takes its requests first. Put "
       "this route before it\n"},
      {"routes: [{path: /a%2Fb, upstream: http://b}]",
       "f:1:17: routes[0].path: must not contain %2F, %5C or %00: requests with them are "
       "refused\n"},
      {"routes: [{path: \"/a?b\", upstream: http://b}]",
       "f:1:17: routes[0].path: must be only a path, of characters from ! to ~ without ? and #\n"},
      {"upstreams: {orders: {url: http://b}}\nroutes: [{path: /a, upstream: ordres}]",
       "f:2:31: routes[0].upstream: is neither the name of an upstream nor a URL; did you mean "
       "`orders`?\n"},
      {"routes:\n- {path: /a, upstream: http://b}\n"
       "- {path: /a, upstream: http://b, methods: [GET]}",
       "f:3:3: routes[1].name: is required: its default, the path, is already the name of "
       "routes[0] (line 2)\n"},
      {"routes:\n- {name: x, path: /a, upstream: http://b}\n"
       "- {name: x, path: /b, upstream: http://b}",
       "f:3:10: routes[1].name: is already the name of routes[0] (line 2)\n"},
  });
  CheckRoutes({
      {"methods: [post]",
       "f:5:13: routes[0].methods[0]: is not a method such as POST, in capital letters\n"},
      {"methods: []", "f:5:12: routes[0].methods: must have at least one method\n"},
      {"methods: [CONNECT]",
       "f:5:13: routes[0].methods[0]: is not supported: the proxy is not a tunnel\n"},
      {"host: http://x",
       "f:5:9: routes[0].host: must be only a host, such as pay.example.com, without scheme and "
       "port\n"},
      {"host: x:80",
       "f:5:9: routes[0].host: must be only a host, such as pay.example.com, without scheme and "
       "port\n"},
  });
}

TEST_CASE("authentication and rate limit of a route are checked") {
  CheckRoutes({
      {"authenticate:",
       "f:5:3: routes[0].authenticate: is empty: write {} for its defaults, or off\n"},
      {"authenticate: {}", "f:5:17: routes[0].authenticate.scheme: is missing\n"},
      {"authenticate: {scheme: hmac}",
       "f:5:26: routes[0].authenticate.scheme: must be none, hmac-body, hmac-timestamp, "
       "http-message-signatures or client-certificate\n"},
      {"authenticate: {scheme: hmac-body, header: \"X Y\"}",
       "f:5:45: routes[0].authenticate.header: is not a valid field name\n"},
      {"authenticate: {scheme: hmac-body, clients: [shp]}",
       "f:5:47: routes[0].authenticate.clients[0]: is not the id of a client under `clients`; did "
       "you mean `shop`?\n"},
      {"authenticate: {scheme: hmac-body, clients: []}",
       "f:5:46: routes[0].authenticate.clients: must have at least one; leave `clients` out to "
       "admit all\n"},
      {"rate_limit: {}",
       "f:5:15: routes[0].rate_limit.per: is missing\n"
       "f:5:15: routes[0].rate_limit.requests: is missing\n"},
      {"rate_limit: {requests: 10001, per: 1m}",
       "f:5:26: routes[0].rate_limit.requests: must be from 1 to 10000\n"},
      {"rate_limit: {requests: 1, per: 10ms}",
       "f:5:34: routes[0].rate_limit.per: must be from 1s to 31d\n"},
      {"rate_limit: {requests: 1, per: 1m, by: client}",
       "f:5:42: routes[0].rate_limit.by: needs `authenticate` on this route\n"},
      {"rate_limit: {requests: 1, per: 1m, by: \"header:\"}",
       "f:5:42: routes[0].rate_limit.by: must be address, client or header:NAME\n"},
      {"rate_limit: {requests: 1, per: 1m, burst: 5}",
       "f:5:45: routes[0].rate_limit.burst: requires `algorithm: token_bucket`\n"},
      {"rate_limit: {requests: 1, per: 1m, on_store_error: alow}",
       "f:5:54: routes[0].rate_limit.on_store_error: must be allow or deny; did you mean "
       "`allow`?\n"},
  });
  CheckRows({{"routes: [{path: /a, upstream: http://b, authenticate: {scheme: hmac-body}}]",
              "f:1:55: routes[0].authenticate: needs at least one client under `clients`\n"}});
}

TEST_CASE("idempotency of a route is checked") {
  CheckRoutes({
      {"idempotency:",
       "f:5:3: routes[0].idempotency: is empty: write {} for its defaults, or off\n"},
      {"idempotency: yes", "f:5:16: routes[0].idempotency: must be a map, not a text\n"},
      {"idempotency: {scope: [client]}",
       "f:5:25: routes[0].idempotency.scope[0]: needs `authenticate` on this route: an address is "
       "not an identity\n"},
      {"idempotency: {scope: [rout]}",
       "f:5:25: routes[0].idempotency.scope[0]: must be client, route or header:NAME; did you mean "
       "`route`?\n"},
      {"idempotency: {scope: [route, route]}",
       "f:5:32: routes[0].idempotency.scope[1]: is in the scope already\n"},
      {"idempotency: {ttl: 1m}",
       "f:5:22: routes[0].idempotency.ttl: must be at least twice the lease, which is 47s\n"},
      {"idempotency: {lease: 20h}",
       "f:5:16: routes[0].idempotency.ttl: must be at least twice the lease, which is 20h\n"},
      {"idempotency: {in_progress_status: 404}",
       "f:5:37: routes[0].idempotency.in_progress_status: must be 503, 409, 425 or 429; did you "
       "mean "
       "`409`?\n"},
      {"idempotency: {unknown_status: 422}",
       "f:5:33: routes[0].idempotency.unknown_status: must be auto, 504, 503, 502, 500 or 409\n"},
      {"idempotency: {mismatch_status: 410}",
       "f:5:34: routes[0].idempotency.mismatch_status: must be 409 or 422\n"},
      {"idempotency: {fingerprint: {ignore: [/a]}}",
       "f:5:39: routes[0].idempotency.fingerprint.ignore: requires `body: json`\n"},
      {"idempotency: {fingerprint: {body: json, ignore: [a]}}",
       "f:5:52: routes[0].idempotency.fingerprint.ignore[0]: is not a JSON pointer to a member, "
       "such as /sent_at\n"},
      {"idempotency: {responses: {release: [503, 6xx], unknown: [503]}}",
       "f:5:44: routes[0].idempotency.responses.release[1]: is not a status such as 503, or a "
       "class "
       "such as 5xx\n"
       "f:5:60: routes[0].idempotency.responses.unknown[0]: is listed twice under `responses`\n"},
      {"idempotency: {max_recorded_body: 1GiB}",
       "f:5:36: routes[0].idempotency.max_recorded_body: must be from 0 to 64MiB\n"},
      {"idempotency: {mode: observes}",
       "f:5:23: routes[0].idempotency.mode: must be enforce or observe; did you mean `observe`?\n"},
      {"authenticate: {scheme: hmac-body}\n  idempotency: {mode: observe}\n  max_body: 1GiB",
       "f:7:13: routes[0].max_body: must be at most 64MiB on a route with `authenticate` or "
       "`idempotency`, which hold the body in memory (its default is limits.body)\n"},
      {"idempotency: {}\n  max_body: 1GiB",
       "f:6:13: routes[0].max_body: must be at most 64MiB on a route with `authenticate` or "
       "`idempotency`, which hold the body in memory (its default is limits.body)\n"},
  });
}

TEST_CASE("what this version does not do is refused where it is asked for") {
  CheckRoutes({
      {"authenticate: {scheme: hmac-timestamp}",
       "f:5:26: routes[0].authenticate.scheme: `hmac-timestamp` is not available in this "
       "version\n"},
  });
}

TEST_CASE("two routes whose equal keys are two keys do not ask the backend the same question") {
  const std::string first =
      "idempotency: {reconcile: {get: \"/?k={key}\", found: 200}}\n- path: /b\n  upstream: ";
  const std::string second = "\n  idempotency: {reconcile: {get: \"/?k={key}\", found: 200}}";
  CheckRoutes({
      {first + "http://b" + second,
       "f:8:34: routes[1].idempotency.reconcile.get: is also the look-up of route `/a`: a scope "
       "with `route` makes equal keys of the two routes different keys, but the look-up would find "
       "either effect. Use another look-up, or remove `route` from both scopes\n"},
      {first + "http://c" + second, ""},
      {first + "http://b\n  idempotency: {reconcile: {get: \"/b?k={key}\", found: 200}}", ""},
      {"idempotency: &one {scope: [], reconcile: {get: \"/?k={key}\", found: 200}}\n- path: /b\n"
       "  upstream: http://b\n  idempotency: *one",
       ""},
  });
}

TEST_CASE("a look-up that could find another's effect, or come too early, is refused") {
  CheckRoutes({
      {"idempotency: {lease: 1s, reconcile: {get: /k, found: 404, after: soon}}",
       "f:5:24: routes[0].idempotency.lease: is shorter than every wait that an execution may have "
       "(auto: 47s), which `reconcile` needs covered\n"
       "f:5:45: routes[0].idempotency.reconcile.get: must contain {key}\n"
       "f:5:56: routes[0].idempotency.reconcile.found: must be from 200 to 299\n"
       "f:5:68: routes[0].idempotency.reconcile.after: is not a duration such as 250ms, 30s, 5m, "
       "24h or 7d\n"},
      {"authenticate: {scheme: hmac-body}\n"
       "  idempotency: {reconcile: {get: \"/?k={key}\", found: 200}}",
       "f:6:34: routes[0].idempotency.reconcile.get: must contain {client}: two clients may have "
       "the same key in this scope\n"},
      {"idempotency: {scope: [\"header:X-Shop\"], reconcile: {get: \"/?k={key}\", found: 200}}",
       "f:5:60: routes[0].idempotency.reconcile.get: cannot be used with a header field in the "
       "scope: equal keys under two values of the field would find each other's effect\n"},
      {"idempotency: {header: Content-Length}",
       "f:5:25: routes[0].idempotency.header: has another meaning; the key needs a field of its "
       "own\n"},
      {"idempotency: {header: x-client-id}",
       "f:5:25: routes[0].idempotency.header: has another meaning; the key needs a field of its "
       "own\n"},
      {"idempotency: {reconcile: {}}",
       "f:5:28: routes[0].idempotency.reconcile.found: is missing\n"
       "f:5:28: routes[0].idempotency.reconcile.get: is missing\n"},
      {"idempotency: {reconcile: {get: \"/?k={key}\", found: 200, found_when: id, interval: 1ms}}",
       "f:5:71: routes[0].idempotency.reconcile.found_when: is not a JSON pointer to a member, "
       "such "
       "as /order/id\n"
       "f:5:85: routes[0].idempotency.reconcile.interval: must be from 1s to 24h\n"},
      {"idempotency: {reconcile: {get: \"/?k={key}\", found: 200, found_when: \"\"}}",
       "f:5:71: routes[0].idempotency.reconcile.found_when: is not a JSON pointer to a member, "
       "such "
       "as /order/id\n"},
      {"idempotency: {reconcile: {get: \"/?k={key}\", found: 200, headers: {a b: c, TE: d, E: "
       "\"f\\ng\"}}}",
       "f:5:74: routes[0].idempotency.reconcile.headers.a b: is not a valid field name\n"
       "f:5:81: routes[0].idempotency.reconcile.headers.TE: is a field that the proxy sets "
       "itself\n"
       "f:5:87: routes[0].idempotency.reconcile.headers.E: contains a control character\n"},
  });
}

TEST_CASE("an error below `defaults` is reported once, at its position") {
  CheckRows(
      {{"defaults: {rate_limit: {requests: 0, per: 1m, bursts: 3}}\n"
        "routes:\n- {path: /a, upstream: http://b}\n- {path: /b, upstream: http://b}\n",
        "f:1:35: defaults.rate_limit.requests: must be from 1 to 10000\n"
        "f:1:47: defaults.rate_limit.bursts: is not a known key; did you mean `burst`?\n"}});
}

TEST_CASE("all errors of a file are reported together, in the order of their positions") {
  CheckRows(
      {{"listen: 80\nworkers: many\nclients: [{id: a, secrets: [\"${GONE}\"]}]\n"
        "routes:\n- {path: a, upstream: b}\n",
        "f:1:9: listen: '80' is not an address: expected HOST:PORT, [IPV6]:PORT or unix:PATH\n"
        "f:2:10: workers: must be a whole number from 1 to 256\n"
        "f:3:29: clients[0].secrets[0]: needs the environment variable GONE, which is not set\n"
        "f:5:10: routes[0].path: must begin with /\n"
        "f:5:23: routes[0].upstream: is neither the name of an upstream nor a URL\n"}});
}

TEST_CASE("a variable that is not set, or not spelled as one, is a mistake") {
  CheckSections({
      {"workers: ${N}", "f:3:10: workers: needs the environment variable N, which is not set\n"},
      {"workers: ${N", "f:3:10: workers: has a `${` without its `}`\n"},
      {"workers: ${1N}",
       "f:3:10: workers: has a `${...}` that is neither ${NAME} nor ${NAME:-default}\n"},
      {"workers: ${N:=2}",
       "f:3:10: workers: has a `${...}` that is neither ${NAME} nor ${NAME:-default}\n"},
      {"${N}: 2", "f:3:1: ${N}: is not a known key; allowed here: " + kTopKeys + "\n"},
  });
}

TEST_CASE("no mistake holds what came from the environment") {
  const std::string secret = "tok3n";
  const std::string keys[] = {
      "listen: ${S}",
      "listen: [\"${S}\", {address: \"${S}\"}]",
      "workers: ${S}",
      "log: {level: \"${S}\"}",
      "shutdown_grace: ${S}",
      "trusted_proxies: [\"${S}\"]",
      "limits: {body: \"${S}\"}",
      "store: {type: redis, durability: \"${S}\", url: \"${S}\", key_prefix: \"${S} \", "
      "require_durable: \"${S}\"}",
      "clients: [{id: \"${S} \", secrets: [\"${S}\"], secrets_file: \"/${S}/${S}\"}]",
      "upstreams: {a: {url: \"http://${S}:0\"}, b: {url: \"${S}\"}}",
      "defaults: {host: \"${S}:1\", methods: [\"${S}\"], upstream: \"${S}\", max_body: \"${S}\"}",
      "defaults: {authenticate: {scheme: hmac-body, header: \"${S} \", clients: [\"${S}\"]}}",
      "defaults: {rate_limit: {requests: \"${S}\", per: \"${S}\", by: \"${S}\"}}",
      "defaults: {idempotency: {scope: [\"${S}\"], replay_drop: [\"${S} \"], lease: \"${S}\"}}",
      "defaults: {idempotency: {reconcile: {get: \"${S}\", found_when: \"${S}\"}}}",
  };
  for (const std::string& key : keys) {
    CAPTURE(key);
    const auto lines =
        MistakesOf(std::string("routes: [{path: \"/${S}/.\"}]\n") + key, {{"S", secret}});
    CHECK(lines.size() > 1);
    CHECK(JoinLines(lines).find(secret) == std::string::npos);
  }
}

}  // namespace idem::config
