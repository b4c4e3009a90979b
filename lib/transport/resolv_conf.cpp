#include "transport/resolv_conf.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

namespace hawser::transport {
namespace {

// The bounds of resolv.conf(5).
constexpr int longest_timeout = 30, most_attempts = 5;

// The number behind `name` in "name:number", at most `most`; 0 when this is another word, or no number.
int value_of(std::string_view word, std::string_view name, int most) {
    if (!word.starts_with(name)) return 0;
    int value = 0;
    const char* const end = word.data() + word.size();
    const auto [behind, error] = std::from_chars(word.data() + name.size(), end, value);
    if (error == std::errc::result_out_of_range) return most;
    return error == std::errc() && behind == end ? std::clamp(value, 0, most) : 0;
}

void read_options(ResolvTimes& times, std::istream& words) {
    for (std::string word; words >> word;) {
        if (const int seconds = value_of(word, "timeout:", longest_timeout)) times.timeout = Seconds(seconds);
        if (const int attempts = value_of(word, "attempts:", most_attempts)) times.attempts = attempts;
    }
}

}  // namespace

ResolvTimes read_resolv_conf(const std::string& path) {
    ResolvTimes times;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string keyword;
        if (words >> keyword && keyword == "options") read_options(times, words);
    }
    if (const char* environment = std::getenv("RES_OPTIONS")) {
        std::istringstream words(environment);
        read_options(times, words);
    }
    return times;
}

}  // namespace hawser::transport
