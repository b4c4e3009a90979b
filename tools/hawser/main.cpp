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

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
    // Help and version are "errors" of this kind too.
    if (error.get_exit_code() == 0) return app.exit(error);
    const auto given = app.get_subcommands();
    print_error(std::string(error.what()) + " (see hawser " + (given.empty() ? "" : given.front()->get_name() + " ") + "--help)");
    return wrong_usage;
}

std::string version_text() {
    const LibraryVersions versions = library_versions();
    return "hawser " + versions.hawser + "\nlibev " + versions.libev + "\nmbedTLS " + versions.mbedtls + "\nzlib " + versions.zlib +
           "\nc-ares " + versions.cares;
}

int run(int argc, char** argv) {
    CLI::App app("A WebSocket client and server (RFC 6455).", "hawser");
    app.set_version_flag("--version", version_text, "Print the versions of hawser and of the libraries it uses, and exit");
    app.require_subcommand(0, 1);
    app.footer("Exit status: 0 clean, 1 the connection or the protocol failed, 2 wrong usage.\nhawser SUBCOMMAND --help tells more.");
    const std::vector<Command> commands = {make_serve(app), make_connect(app), make_echo(app),
                                           make_send(app),  make_check(app),   make_bench(app)};
    try {
        app.parse(argc, argv);
        for (const Command& command : commands)
            if (command.options->parsed()) return command.run();
        throw CLI::RequiredError("A subcommand");
    } catch (const CLI::ParseError& error) {
        return report_usage(app, error);
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
