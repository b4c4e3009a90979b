#include <fcntl.h>

#include <csignal>
#include <exception>
#include <vector>

#include <hawser/error.hpp>
#include <hawser/version.hpp>

#include "commands.hpp"
#include "terminal.hpp"

namespace hawser::command {
namespace {

constexpr int failure = 1;
constexpr int wrong_usage = 2;

// A socket that became standard output would be sent what is meant for the reader of that.
void open_standard_descriptors() {
    int descriptor = 0;
    while (descriptor >= 0 && descriptor <= 2) {
        if (fcntl(descriptor, F_GETFD) >= 0)
            ++descriptor;
        else
            descriptor = open("/dev/null", O_RDWR);
    }
}

std::string version_text() {
    const LibraryVersions versions = library_versions();
    return "hawser " + versions.hawser + "\nlibev " + versions.libev + "\nmbedTLS " + versions.mbedtls + "\nzlib " + versions.zlib +
           "\nc-ares " + versions.cares;
}

int run(int argc, char** argv) {
    CommandLine line("hawser", "A WebSocket client and server (RFC 6455).",
                     "Exit status: 0 clean, 1 the connection or the protocol failed, 2 wrong usage.\nhawser SUBCOMMAND --help tells more.");
    line.add_version(version_text, "Print the versions of hawser and of the libraries it uses, and exit");
    const std::vector<Command> commands = {make_serve(line), make_connect(line), make_echo(line),
                                           make_send(line),  make_check(line),   make_bench(line)};
    try {
        if (const auto status = line.parse(argc, argv)) return *status;
        for (const Command& command : commands)
            if (command.subcommand.is_given()) return command.run();
        throw WrongUsage("A subcommand is required");
    } catch (const WrongUsage& error) {
        const std::string given = line.given();
        print_error(std::string(error.what()) + " (see hawser " + given + (given.empty() ? "" : " ") + "--help)");
        return wrong_usage;
    } catch (const Error& error) {
        print_error(error.what());
        return error.errc() == Errc::bad_uri || error.errc() == Errc::invalid_option ? wrong_usage : failure;
    } catch (const std::exception& error) {
        print_error(error.what());
        return failure;
    }
}

}  // namespace
}  // namespace hawser::command

int main(int argc, char** argv) {
    hawser::command::open_standard_descriptors();
    // A reader of standard output that has gone shows as EPIPE.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    return hawser::command::run(argc, argv);
}
