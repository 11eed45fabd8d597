// The program `idemproxy`: reads its command line and runs the command.
#include <iostream>

#include <CLI/CLI.hpp>

#include "proxy/app/supervisor.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/records_command.h"

namespace {

using idem::cli::RecordsArguments;

struct Arguments {
  std::string config_path;
  bool accept_new_scope = false;
  idem::cli::SignArguments sign;
  idem::cli::RecordsArguments records;
};

void AddConfigOption(CLI::App& command, Arguments& arguments) {
  command
      .add_option(
          "-c,--config", arguments.config_path,
          "configuration file (default: config/idemproxy.yaml, then /etc/idemproxy/idemproxy.yaml)")
      ->type_name("FILE");
}

void AddRunOptions(CLI::App& command, Arguments& arguments) {
  AddConfigOption(command, arguments);
  command.add_flag(
      "--accept-new-scope", arguments.accept_new_scope,
      "start although the store's records were written under another scope, and forget them");
}

void AddSignOptions(CLI::App& command, Arguments& arguments) {
  idem::cli::SignArguments& sign = arguments.sign;
  AddConfigOption(command, arguments);
  command.add_option("--client", sign.client, "id of the client that signs")
      ->type_name("ID")
      ->required();
  command.add_option("--scheme", sign.scheme, "signature scheme (default: the route's)")
      ->type_name("SCHEME");
  command.add_option("-X,--request", sign.method, "request method (default: POST)")
      ->type_name("METHOD");
  command.add_option("--key", sign.key, "idempotency key; its field is printed too")
      ->type_name("KEY");
  command
      .add_option("--data", sign.data, "request body, or @FILE (send it with curl --data-binary)")
      ->type_name("BODY|@FILE")
      ->required();
  command.add_option("url", sign.url, "URL or path of the request")->type_name("URL")->required();
}

CLI::App* AddRecordsCommand(CLI::App& records, const char* name, const char* what,
                            RecordsArguments::Action action, Arguments& arguments) {
  CLI::App* const command = records.add_subcommand(name, what);
  RecordsArguments& question = arguments.records;
  AddConfigOption(*command, arguments);
  command
      ->add_option("--admin", question.admin,
                   "address of the admin listener (default: from the configuration)")
      ->type_name("ADDRESS");
  command->add_flag("--json", question.json, "print the JSON of the admin API");
  command->callback([&question, action] { question.action = action; });
  return command;
}

// Adds the options that name a record and, if the command changes it, its token and the reason.
void AddRecordOptions(CLI::App& command, bool changes, RecordsArguments& question) {
  command.add_option("key_hash", question.key_hash, "key_hash of the record, as the log shows it")
      ->type_name("KEY_HASH");
  command
      .add_option("--key", question.record_key, "the whole key with its scope, instead of KEY_HASH")
      ->type_name("RECORD_KEY");
  if (!changes) return;
  command.add_option("--token", question.token, "the record's token, as `records show` prints it")
      ->type_name("TOKEN")
      ->required();
  command.add_option("--reason", question.reason, "why; written to the log")
      ->type_name("TEXT")
      ->required();
}

CLI::App* AddRecordsCommands(CLI::App& program, Arguments& arguments) {
  using Action = RecordsArguments::Action;
  RecordsArguments& question = arguments.records;
  CLI::App* const records = program.add_subcommand(
      "records", "find records and settle unknown ones, through the admin listener");
  records->require_subcommand(1);
  CLI::App* const list = AddRecordsCommand(*records, "list", "list records that are not completed",
                                           Action::kList, arguments);
  list->add_option("--state", question.state,
                   "only this state: unknown or executing (default: both)")
      ->check(CLI::IsMember({"unknown", "executing"}));
  list->add_option("--min-age", question.min_age,
                   "only records at least this old, such as 90s, 2h or 7d")
      ->type_name("DURATION");
  list->add_option("--route", question.route, "only records of this route");
  list->add_option("--client", question.client, "only records of this client");
  list->add_option("--limit", question.limit, "maximum number of records (default: 1000)")
      ->check(CLI::Range(1, 1000000));
  AddRecordOptions(*AddRecordsCommand(*records, "show", "show one record, in any state",
                                      Action::kShow, arguments),
                   false, question);
  AddRecordOptions(
      *AddRecordsCommand(*records, "release",
                         "delete an unknown record, so that a retry with its key is executed again",
                         Action::kRelease, arguments),
      true, question);
  CLI::App* const resolve = AddRecordsCommand(
      *records, "resolve", "complete an unknown record with a response, which callers then get",
      Action::kResolve, arguments);
  AddRecordOptions(*resolve, true, question);
  resolve->add_option("--status", question.status, "status of the recorded response")
      ->check(CLI::Range(200, 599))
      ->required();
  resolve->add_option("--body", question.body, "response body, or @FILE")->type_name("BODY|@FILE");
  resolve
      ->add_option("--content-type", question.content_type,
                   "content type of the response (default: application/json)")
      ->type_name("TYPE");
  return records;
}

int Fail(const std::string& what) {
  std::cerr << "idemproxy: " << what << " (run idemproxy --help for usage)\n";
  return idem::kExitMistake;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App program("A reverse proxy that makes any HTTP backend safe to retry.", "idemproxy");
  program.require_subcommand(0, 1);
  AddRunOptions(program, arguments);
  AddRunOptions(*program.add_subcommand("run", "serve (the default command)"), arguments);
  CLI::App* check =
      program.add_subcommand("check", "check the configuration: print `ok`, or every error");
  AddConfigOption(*check, arguments);
  CLI::App* sign = program.add_subcommand("sign", "sign a request: print the header lines to send");
  AddSignOptions(*sign, arguments);
  CLI::App* records = AddRecordsCommands(program, arguments);
  CLI::App* version =
      program.add_subcommand("version", "print the versions of the program and its libraries");
  program.set_version_flag("--version", "idemproxy " IDEM_VERSION);

  try {
    program.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return Fail("unknown command or option `" + program.remaining(true).front() + "`");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
    return Fail(std::string(error.what()));
  }

  if (version->parsed()) return idem::cli::PrintVersion(std::cout);
  if (arguments.config_path.empty()) arguments.config_path = idem::cli::DefaultConfigPath();
  if (arguments.config_path.empty()) {
    return Fail(
        "neither config/idemproxy.yaml nor /etc/idemproxy/idemproxy.yaml exists; give a "
        "configuration with -c FILE");
  }
  if (check->parsed()) return idem::cli::Check(arguments.config_path, std::cout);
  if (sign->parsed()) {
    arguments.sign.config_path = arguments.config_path;
    return idem::cli::Sign(arguments.sign, std::cout, std::cerr);
  }
  if (records->parsed()) {
    arguments.records.config_path = arguments.config_path;
    return idem::cli::Records(arguments.records, std::cout, std::cerr);
  }
  return idem::app::Run(arguments.config_path, arguments.accept_new_scope);
}
