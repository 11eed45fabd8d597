// The program `idemproxy`: reads its command line and runs the command.
#include <iostream>

#include <CLI/CLI.hpp>

#include "proxy/app/commands.h"
#include "proxy/app/run.h"

namespace {

using idem::app::ExitCode;

struct Arguments {
  std::string config_path;
  bool accept_new_scope = false;
  idem::app::SignQuestion sign;
};

void AddConfigOption(CLI::App& command, Arguments& arguments) {
  command
      .add_option("-c,--config", arguments.config_path,
                  "the configuration (default: config/idemproxy.yaml, then "
                  "/etc/idemproxy/idemproxy.yaml)")
      ->type_name("FILE");
}

void AddRunOptions(CLI::App& command, Arguments& arguments) {
  AddConfigOption(command, arguments);
  command.add_flag("--accept-new-scope", arguments.accept_new_scope,
                   "start although the store's records lie under another scope, and forget them");
}

void AddSignOptions(CLI::App& command, Arguments& arguments) {
  idem::app::SignQuestion& sign = arguments.sign;
  AddConfigOption(command, arguments);
  command.add_option("--client", sign.client, "the client that signs")->type_name("ID")->required();
  command.add_option("--scheme", sign.scheme, "instead of the route's")->type_name("SCHEME");
  command.add_option("-X,--request", sign.method, "default: POST")->type_name("METHOD");
  command.add_option("--key", sign.key, "print the key's field too")->type_name("KEY");
  command.add_option("--data", sign.data, "the body, or @FILE (send it with curl --data-binary)")
      ->type_name("BODY|@FILE")
      ->required();
  command.add_option("url", sign.url, "where the request goes")->type_name("URL")->required();
}

int Fail(const std::string& what) {
  std::cerr << "idemproxy: " << what << " (idemproxy --help tells more)\n";
  return idem::app::kExitMistake;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App program("A reverse proxy that makes any HTTP backend safe to retry.", "idemproxy");
  program.require_subcommand(0, 1);
  AddRunOptions(program, arguments);
  AddRunOptions(*program.add_subcommand("run", "serve (the default command)"), arguments);
  CLI::App* check =
      program.add_subcommand("check", "read the configuration: `ok`, or every mistake");
  AddConfigOption(*check, arguments);
  CLI::App* sign = program.add_subcommand("sign", "print the header lines that a caller must send");
  AddSignOptions(*sign, arguments);
  CLI::App* version = program.add_subcommand("version", "print versions");
  program.set_version_flag("--version", "idemproxy " IDEM_VERSION);

  try {
    program.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return Fail("there is no command or option `" + program.remaining(true).front() + "`");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
    return Fail(std::string(error.what()));
  }

  if (version->parsed()) return idem::app::PrintVersion(std::cout);
  if (arguments.config_path.empty()) arguments.config_path = idem::app::DefaultConfigPath();
  if (arguments.config_path.empty()) {
    return Fail(
        "there is no config/idemproxy.yaml here and no /etc/idemproxy/idemproxy.yaml; name a "
        "configuration with -c FILE");
  }
  if (check->parsed()) return idem::app::Check(arguments.config_path, std::cout);
  if (sign->parsed()) {
    arguments.sign.config_path = arguments.config_path;
    return idem::app::Sign(arguments.sign, std::cout, std::cerr);
  }
  return idem::app::Run(arguments.config_path, arguments.accept_new_scope);
}
