#include "command_line.hpp"

#include <utility>

#include <CLI/CLI.hpp>

namespace hawser::command {

Option Option::check(Function complain) { return Option(option_->check(std::move(complain))); }

Option Option::check_range(int least, int most) { return Option(option_->check(CLI::Range(least, most))); }

Option Option::check_positive() { return Option(option_->check(CLI::PositiveNumber)); }

Option Option::transform(Function change) {
    return Option(option_->transform([change = std::move(change)](const std::string& text) {
        try {
            return change(text);
        } catch (const WrongUsage& error) {
            throw CLI::ValidationError(error.what());
        }
    }));
}

Option Option::type_name(const std::string& name) { return Option(option_->type_name(name)); }

Option Option::needs(Option other) { return Option(option_->needs(other.option_)); }

Option Option::required() { return Option(option_->required()); }

Option Option::value_is_optional() { return Option(option_->expected(0, 1)); }

Option Option::take_all() { return Option(option_->take_all()); }

std::size_t Option::count() const { return option_->count(); }

const std::vector<std::string>& Option::results() const { return option_->results(); }

Option Subcommand::add_option(const std::string& name, std::string& value, const std::string& description) {
    return Option(app_->add_option(name, value, description));
}

Option Subcommand::add_option(const std::string& name, double& value, const std::string& description) {
    return Option(app_->add_option(name, value, description));
}

Option Subcommand::add_option(const std::string& name, int& value, const std::string& description) {
    return Option(app_->add_option(name, value, description));
}

Option Subcommand::add_option(const std::string& name, std::uint16_t& value, const std::string& description) {
    return Option(app_->add_option(name, value, description));
}

Option Subcommand::add_option(const std::string& name, std::size_t& value, const std::string& description) {
    return Option(app_->add_option(name, value, description));
}

Option Subcommand::add_option(const std::string& name, std::vector<std::string>& values, const std::string& description) {
    return Option(app_->add_option(name, values, description));
}

Option Subcommand::add_list(const std::string& name, std::vector<std::string>& values, const std::string& description) {
    return Option(app_->add_option(name, values, description)->allow_extra_args(false));
}

Option Subcommand::add_flag(const std::string& name, bool& value, const std::string& description) {
    return Option(app_->add_flag(name, value, description));
}

Option Subcommand::add_option(const std::string& name, const std::string& description) {
    return Option(app_->add_option(name)->description(description));
}

Option Subcommand::add_list(const std::string& name, const std::string& description) {
    // A value like "[1,2]" must stay whole, which allow_extra_args would split; the large minimum makes room for any number
    // instead, and binds nobody, since take_all checks none.
    constexpr int any_number = 1 << 20;
    return Option(app_->add_option(name)->description(description)->take_all()->expected(any_number, -1)->allow_extra_args(false));
}

Option Subcommand::add_flag(const std::string& name, const std::string& description) {
    return Option(app_->add_flag(name)->description(description));
}

void Subcommand::footer(const std::string& text) { app_->footer(text); }

bool Subcommand::is_given() const { return app_->parsed(); }

std::vector<Option> Subcommand::parse_order() const {
    std::vector<Option> given;
    for (CLI::Option* option : app_->parse_order()) given.emplace_back(option);
    return given;
}

CommandLine::CommandLine(const std::string& name, const std::string& description, const std::string& footer)
    : app_(std::make_unique<CLI::App>(description, name)) {
    app_->require_subcommand(0, 1);
    app_->footer(footer);
}

CommandLine::~CommandLine() = default;

void CommandLine::add_version(std::string (*text)(), const std::string& description) {
    app_->set_version_flag("--version", text, description);
}

Subcommand CommandLine::add_subcommand(const std::string& name, const std::string& description) {
    return Subcommand(app_->add_subcommand(name, description));
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
    try {
        app_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // Help and version are "errors" of this kind too.
        if (error.get_exit_code() == 0) return app_->exit(error);
        throw WrongUsage(error.what());
    }
    return std::nullopt;
}

std::string CommandLine::given() const {
    const auto given = app_->get_subcommands();
    return given.empty() ? "" : given.front()->get_name();
}

}  // namespace hawser::command
