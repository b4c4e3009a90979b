#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <hawser/context.hpp>

namespace hawser {

/// The type of an option's value, in the order of `OptionValue`'s alternatives, of which the first is none.
enum class OptionType : std::size_t { boolean = 1, integer, string, list, map };

/// A context option as it is known.
struct Option {
    std::string_view wrapper;
    std::string_view name;
    OptionType type;
    /// Another type that it takes as well.
    std::optional<OptionType> other_type{};
    std::optional<OptionValue> standard{};
    /// Bounds of an integer, both allowed.
    std::int64_t least = 0;
    std::int64_t most = 0;
    /// Why this version refuses the option, whatever the value; empty when it does not.
    std::string_view refusal{};
    /// What is wrong with a value of the right type, or empty.
    std::string (*check)(const OptionValue& value) = nullptr;

    bool takes(const OptionValue& value) const noexcept {
        return value.index() == static_cast<std::size_t>(type) || (other_type && value.index() == static_cast<std::size_t>(*other_type));
    }
};

/// All options that there are.
std::span<const Option> known_options() noexcept;

}  // namespace hawser
