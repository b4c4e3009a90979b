#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include <hawser/middleware.hpp>

namespace hawser {

/// Under what a middleware keeps its data of a connection: two objects of a kind each have their own.
class MetaKey {
public:
    explicit MetaKey(const Middleware* object) noexcept { std::memcpy(bytes_.data(), &object, bytes_.size()); }
    operator std::string_view() const noexcept { return {bytes_.data(), bytes_.size()}; }

private:
    std::array<char, sizeof(const Middleware*)> bytes_{};
};

}  // namespace hawser
