#include "tests/support/postgres_server.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include <libpq-fe.h>

namespace idem::support {

namespace {

constexpr int kAttempts = 5;  // another program may take a free port first

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error("PostgreSQL: " + what); }

/// Debian installs the servers of all versions side by side, outside PATH.
std::filesystem::path NewestPrograms() {
  std::vector<std::pair<int, std::filesystem::path>> found;
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const auto programs = version.path() / "bin";
    if (std::filesystem::exists(programs / "postgres")) {
      found.emplace_back(std::atoi(version.path().filename().c_str()), programs);
    }
  }
  if (found.empty()) Fail("no server below /usr/lib/postgresql; run scripts/deps test");
  return std::max_element(found.begin(), found.end())->second;
}

bool IsRoot() { return geteuid() == 0; }

/// Makes a folder that the server's user may enter; a TMPDIR below /root is not one.
std::filesystem::path MakeFolder() {
  std::string name = "/tmp/idem-postgres.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) Fail("no temporary folder");
  if (!IsRoot()) return name;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr || chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) {
    Fail("the folder cannot be given to the user postgres");
  }
  return name;
}

}  // namespace

PostgresClient::PostgresClient(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_) == CONNECTION_OK) return;
  const std::string message = PQerrorMessage(connection_);
  PQfinish(connection_);
  Fail(message);
}

PostgresClient::~PostgresClient() { PQfinish(connection_); }

void PostgresClient::Run(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_, sql.c_str()),
                                                             PQclear);
  if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) Fail(PQerrorMessage(connection_));
}

std::string PostgresClient::Ask(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_, sql.c_str()),
                                                             PQclear);
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) Fail(PQerrorMessage(connection_));
  if (PQntuples(result.get()) == 0) Fail("no row: " + sql);
  return PQgetvalue(result.get(), 0, 0);
}

TestDatabase::TestDatabase() {
  static int count = 0;
  const std::string server = ServerVariable("IDEM_TEST_POSTGRES");
  name_ = "test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  PostgresClient(server).Run("CREATE DATABASE " + name_);
  url_ = server.substr(0, server.rfind('/') + 1) + name_;
  client_.emplace(url_);
}

TestDatabase::~TestDatabase() {
  client_.reset();
  try {
    PostgresClient(ServerVariable("IDEM_TEST_POSTGRES"))
        .Run("DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception&) {  // the server is removed with its data anyway
  }
}

PostgresServer::PostgresServer(Settings settings)
    : settings_(std::move(settings)), programs_(NewestPrograms()), folder_(MakeFolder()) {
  Process initdb = Process::Start(
      AsPostgres("initdb", {"-D", (folder_ / "data").string(), "-U", "postgres", "-E", "UTF8",
                            "--locale=C", "--no-instructions", "--auth=trust", "--no-sync"}));
  if (initdb.WaitForExit() != 0) Fail("initdb: " + initdb.error_output());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = FreePort();
    if (TryStart()) return;
  }
  std::filesystem::remove_all(folder_);
  Fail("the server does not start");
}

PostgresServer::~PostgresServer() {
  if (process_) {
    Thaw();
    process_->Signal(SIGQUIT);  // ends at once, with its children
    try {
      process_->WaitForExit();
    } catch (const std::exception&) {  // then it is killed
    }
  }
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresServer::url() const {
  return "postgres://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres";
}

void PostgresServer::Stop() {
  process_->Signal(SIGINT);
  process_->WaitForExit();
  process_.reset();
}

void PostgresServer::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitForExit();
  process_.reset();
}

// Acts like SIGKILL of every process, but leaves no shared memory, which would delay the next
// start.
void PostgresServer::Crash() {
  process_->Signal(SIGQUIT);
  process_->WaitForExit();
  process_.reset();
}

void PostgresServer::Freeze() { SignalAll(SIGSTOP); }
void PostgresServer::Thaw() { SignalAll(SIGCONT); }

// Stops the first process first, because it makes no more children then.
void PostgresServer::SignalAll(int number) {
  process_->Signal(number);
  const std::string first = std::to_string(process_->pid());
  std::ifstream children("/proc/" + first + "/task/" + first + "/children");
  for (pid_t child = 0; children >> child;) kill(child, number);
}

// The children of a killed server end by themselves. Until then a new server cannot start.
void PostgresServer::Start() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (TryStart()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  Fail("the server does not start again");
}

bool PostgresServer::TryStart() {
  std::vector<std::string> arguments{"-D", (folder_ / "data").string(), "-p",
                                     std::to_string(port_)};
  Settings all{{"listen_addresses", "127.0.0.1"},
               {"unix_socket_directories", ""},
               {"fsync", "off"},
               {"full_page_writes", "off"},
               {"shared_buffers", "16MB"}};
  all.insert(all.end(), settings_.begin(), settings_.end());
  for (const auto& [name, value] : all) {
    arguments.emplace_back("-c");
    arguments.push_back(name + "=" + value);
  }
  process_ = Process::Start(AsPostgres("postgres", std::move(arguments)));
  while (process_->running()) {
    if (PQping(url().c_str()) == PQPING_OK) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// The server refuses to run as root. A change of user clears the parent-death signal, so that is
// set afterwards.
Process::Command PostgresServer::AsPostgres(std::string program,
                                            std::vector<std::string> arguments) const {
  program = (programs_ / program).string();
  if (!IsRoot()) return {program, std::move(arguments), {}};
  std::vector<std::string> all{"--reuid=postgres",
                               "--regid=postgres",
                               "--init-groups",
                               "--",
                               "setpriv",
                               "--pdeathsig",
                               "QUIT",
                               "--",
                               program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {"setpriv", std::move(all), {}};
}

}  // namespace idem::support
