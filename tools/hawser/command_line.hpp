#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {

class App;
class Option;

}  // namespace CLI

/// @file
/// How the command is called: what it needs of CLI11, which takes long to compile and is included by one source alone.

namespace hawser::command {

/// A command line that makes no sense; `what()` is the complaint.
class WrongUsage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A reference to an option, a flag or a positional argument.
class Option {
public:
    using Function = std::function<std::string(const std::string& text)>;

    Option() = default;
    explicit Option(CLI::Option* option) : option_(option) {}

    /// Asks for what is wrong with a value: "" if nothing is.
    Option check(Function complain);
    Option check_range(int least, int most);
    Option check_positive();
    /// Replaces a value, or throws WrongUsage.
    Option transform(Function change);
    /// What the help shows for a value.
    Option type_name(const std::string& name);
    Option needs(Option other);
    Option required();
    /// Its value may be left out.
    Option value_is_optional();
    /// Each time that it is given counts.
    Option take_all();

    std::size_t count() const;
    const std::vector<std::string>& results() const;
    bool operator==(const Option&) const = default;

private:
    CLI::Option* option_ = nullptr;
};

/// A reference to a subcommand.
class Subcommand {
public:
    Subcommand() = default;
    explicit Subcommand(CLI::App* app) : app_(app) {}

    // Options and positional arguments, whose values are kept for good by whoever calls.
    Option add_option(const std::string& name, std::string& value, const std::string& description);
    Option add_option(const std::string& name, double& value, const std::string& description);
    Option add_option(const std::string& name, int& value, const std::string& description);
    Option add_option(const std::string& name, std::uint16_t& value, const std::string& description);
    Option add_option(const std::string& name, std::size_t& value, const std::string& description);
    /// All that follows are values.
    Option add_option(const std::string& name, std::vector<std::string>& values, const std::string& description);
    /// May be given several times, each time with one value.
    Option add_list(const std::string& name, std::vector<std::string>& values, const std::string& description);
    Option add_flag(const std::string& name, bool& value, const std::string& description);
    // The same without a place for values, which `parse_order()` and `results()` tell.
    Option add_option(const std::string& name, const std::string& description);
    Option add_list(const std::string& name, const std::string& description);
    Option add_flag(const std::string& name, const std::string& description);
    /// Ends the help.
    void footer(const std::string& text);

    bool is_given() const;
    /// What was given, in its order.
    std::vector<Option> parse_order() const;

private:
    CLI::App* app_ = nullptr;
};

class CommandLine {
public:
    CommandLine(const std::string& name, const std::string& description, const std::string& footer);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    void add_version(std::string (*text)(), const std::string& description);
    Subcommand add_subcommand(const std::string& name, const std::string& description);
    /// The exit status if help or version was asked for, and has been printed. Throws WrongUsage.
    std::optional<int> parse(int argc, char** argv);
    /// The name of the subcommand that was given, or "".
    std::string given() const;

private:
    std::unique_ptr<CLI::App> app_;
};

}  // namespace hawser::command
