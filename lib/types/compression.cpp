#include <hawser/compression.hpp>

#include <string>

#include <hawser/error.hpp>

namespace hawser {

namespace {

void check_range(const char* name, int value, int least, int most, const char* why = "") {
    if (value >= least && value <= most) return;
    throw Error(Errc::invalid_option, std::string("the compression's ") + name + " is " + std::to_string(value) + ", it must be from " +
                                          std::to_string(least) + " to " + std::to_string(most) + why);
}

void check_window_bits(const char* name, int value) { check_range(name, value, 9, 15, value == 8 ? ": zlib has no window of 8 bits" : ""); }

}  // namespace

void DeflateOptions::validate() const {
    check_window_bits("server_max_window_bits", server_max_window_bits);
    check_window_bits("client_max_window_bits", client_max_window_bits);
    check_range("memory_level", memory_level, 1, 9);
    check_range("level", level, 1, 9);
}

}  // namespace hawser
