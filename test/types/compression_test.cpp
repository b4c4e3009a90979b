#include <hawser/compression.hpp>

#include <string>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string refused(int DeflateOptions::*option, int value) {
    DeflateOptions options;
    options.*option = value;
    return support::error_of(Errc::invalid_option, [&] { options.validate(); });
}

void check_range(int DeflateOptions::*option, const std::string& name, int least, int most) {
    DeflateOptions options;
    for (const int value : {least, most}) {
        options.*option = value;
        CHECK_NOTHROW(options.validate());
    }
    for (const int value : {least - 1, most + 1, -15}) {
        CHECK_THAT(refused(option, value), ContainsSubstring(name));
        CHECK_THAT(refused(option, value), ContainsSubstring(std::to_string(value)));
    }
}

}  // namespace

TEST_CASE("compression: settings that cannot be are refused by name") {
    check_range(&DeflateOptions::server_max_window_bits, "server_max_window_bits", 9, 15);
    check_range(&DeflateOptions::client_max_window_bits, "client_max_window_bits", 9, 15);
    check_range(&DeflateOptions::memory_level, "memory_level", 1, 9);
    check_range(&DeflateOptions::level, "level", 1, 9);
    CHECK_NOTHROW(DeflateOptions{}.validate());
    CHECK_THAT(refused(&DeflateOptions::server_max_window_bits, 8), ContainsSubstring("zlib"));
}
