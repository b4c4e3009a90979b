#pragma once

// Catch2 3 has one header for all; Catch2 2.13 is one header.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
// The matcher's name in Catch2 3, where Contains() is of ranges.
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& part) { return Contains(part); }
}  // namespace Catch::Matchers
#endif
