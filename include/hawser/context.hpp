#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <hawser/export.hpp>

namespace hawser {

/// A value of a context option: bool, integer, string, list of strings, or map of strings. Each option has one type; an empty value,
/// which is what `{}` makes, is refused by all.
using OptionValue =
    std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>, std::map<std::string, std::string>>;

/// What `{}` is to setters where it might be taken for the default, and would be something else: they refuse to compile.
enum class NoValue {};

/// Options of the layers below WebSocket, by wrapper ("socket", "http", "ssl") and name, after PHP's stream context.
/// An unknown wrapper or option, a value of the wrong type or out of range, and one that this build cannot
/// honour, is refused at once: `Error` with `Errc::invalid_option`, naming the nearest known option.
/// A change affects the next connection, never one under way.
class HAWSER_API Context {
public:
    /// The value that was set, or the default; null when the option has neither. The pointer dies with the next change.
    const OptionValue* get_option(std::string_view wrapper, std::string_view name) const;
    /// As above, as one type; `fallback` when the option has no value. Throws std::bad_variant_access when the option has another type.
    template <typename T>
    T get_option_or(std::string_view wrapper, std::string_view name, T fallback) const {
        const OptionValue* value = get_option(wrapper, name);
        return value ? std::get<T>(*value) : std::move(fallback);
    }

    /// Sets one option. Throws `Errc::invalid_option`, and changes nothing then.
    void set_option(std::string_view wrapper, std::string_view name, OptionValue value);
    void set_option(std::string_view wrapper, std::string_view name, NoValue) = delete;
    /// Sets it from text, as a command line or a configuration file has it: "true" or "false", a decimal integer, or the
    /// string itself. To a list it adds one element, to a map one entry, written "key=value".
    void parse_option(std::string_view wrapper, std::string_view name, std::string_view text);

    /// Options by wrapper and name. What is not named stays.
    using Options = std::map<std::string, std::map<std::string, OptionValue>, std::less<>>;
    /// Sets several; either all are taken or, when one is refused, none.
    void set_options(const Options& options);
    /// All that have been set.
    const Options& options() const noexcept { return options_; }

private:
    Options options_;
};

}  // namespace hawser
