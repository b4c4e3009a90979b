#include <hawser/context.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

#include <hawser/error.hpp>

#include "types/option_table.hpp"
#include "types/text.hpp"

namespace hawser {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<OptionValue>> type_names = {
    "an empty value", "a bool", "an integer", "a string", "a list of strings", "a map of strings"};

std::string label(std::string_view wrapper, std::string_view name) { return std::string(wrapper) + " option " + cited(name); }

// How many letters to change, insert or take out make `b` of `a` (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (lower(a[i]) != lower(b[j]));
            diagonal = std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
        }
    }
    return row.back();
}

[[noreturn]] void refuse_unknown(std::string_view wrapper, std::string_view name) {
    const std::span<const Option> options = known_options();
    // No name is longer than this: what a mistaken caller hands over may be.
    constexpr std::size_t longest = 64;
    const auto distance = [&](const Option& option) {
        return edit_distance(name.substr(0, longest), option.name) + edit_distance(wrapper.substr(0, longest), option.wrapper);
    };
    const Option& nearest =
        *std::min_element(options.begin(), options.end(), [&](const Option& a, const Option& b) { return distance(a) < distance(b); });
    throw Error(Errc::invalid_option,
                "there is no " + label(cited(wrapper), name) + ", the nearest known one is " + label(cited(nearest.wrapper), nearest.name));
}

const Option& find_option(std::string_view wrapper, std::string_view name) {
    for (const Option& option : known_options()) {
        if (option.wrapper == wrapper && option.name == name) return option;
    }
    refuse_unknown(wrapper, name);
}

std::string types_of(const Option& option) {
    const std::string type(type_names[static_cast<std::size_t>(option.type)]);
    return option.other_type ? type + " or " + std::string(type_names[static_cast<std::size_t>(*option.other_type)]) : type;
}

// Why `value` cannot be given to the option, or empty.
std::string objection(const Option& option, const OptionValue& value) {
    if (!option.refusal.empty()) return "is refused: " + std::string(option.refusal);
    if (!option.takes(value)) return "takes " + types_of(option) + ", not " + std::string(type_names[value.index()]);
    if (option.type == OptionType::integer) {
        const std::int64_t number = std::get<std::int64_t>(value);
        if (number < option.least || number > option.most)
            return "is " + std::to_string(number) + ", must be " + std::to_string(option.least) + " to " + std::to_string(option.most);
    }
    return option.check ? option.check(value) : std::string();
}

// What `text` stands for, as a value of `type`; text itself when it cannot be that. `previous`: what the option has so far.
OptionValue parse_value(OptionType type, std::string_view text, const OptionValue* previous) {
    switch (type) {
        case OptionType::boolean:
            if (text == "true" || text == "false") return text == "true";
            break;
        case OptionType::integer: {
            std::int64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error == std::errc() && end == text.data() + text.size()) return number;
            break;
        }
        case OptionType::string: break;
        case OptionType::list: {
            const auto* const before = previous ? std::get_if<std::vector<std::string>>(previous) : nullptr;
            std::vector<std::string> list = before ? *before : std::vector<std::string>();
            list.emplace_back(text);
            return list;
        }
        case OptionType::map: {
            const std::size_t equals = text.find('=');
            if (equals == std::string_view::npos) break;
            const auto* const before = previous ? std::get_if<std::map<std::string, std::string>>(previous) : nullptr;
            std::map<std::string, std::string> map = before ? *before : std::map<std::string, std::string>();
            map.insert_or_assign(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
            return map;
        }
    }
    return std::string(text);
}

}  // namespace

const OptionValue* Context::get_option(std::string_view wrapper, std::string_view name) const {
    const Option& option = find_option(wrapper, name);
    if (const auto group = options_.find(wrapper); group != options_.end()) {
        if (const auto found = group->second.find(std::string(name)); found != group->second.end()) return &found->second;
    }
    return option.standard ? &*option.standard : nullptr;
}

void Context::set_option(std::string_view wrapper, std::string_view name, OptionValue value) {
    if (const std::string why = objection(find_option(wrapper, name), value); !why.empty()) {
        throw Error(Errc::invalid_option, label(wrapper, name) + " " + why);
    }
    options_[std::string(wrapper)].insert_or_assign(std::string(name), std::move(value));
}

void Context::parse_option(std::string_view wrapper, std::string_view name, std::string_view text) {
    const Option& option = find_option(wrapper, name);
    // Where a string will do as well, an equals sign says that it is a map's entry.
    const bool is_other = option.other_type && text.find('=') != std::string_view::npos;
    OptionValue value = parse_value(is_other ? *option.other_type : option.type, text, get_option(wrapper, name));
    if (option.refusal.empty() && !option.takes(value)) {
        constexpr std::array<std::string_view, type_names.size()> forms = {"",         "true or false", "an integer",
                                                                           "a string", "a string",      "\"key=value\""};
        throw Error(Errc::invalid_option, label(wrapper, name) + " is " + cited(text) + ", expected " +
                                              std::string(forms[static_cast<std::size_t>(option.type)]));
    }
    set_option(wrapper, name, std::move(value));
}

void Context::set_options(const Options& options) {
    Context changed = *this;
    for (const auto& [wrapper, group] : options) {
        for (const auto& [name, value] : group) changed.set_option(wrapper, name, value);
    }
    options_ = std::move(changed.options_);
}

}  // namespace hawser
