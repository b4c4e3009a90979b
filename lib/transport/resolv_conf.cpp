#include "transport/resolv_conf.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "types/text.hpp"

namespace hawser::transport {
namespace {

// The bounds of resolv.conf(5).
constexpr int longest_timeout = 30, most_attempts = 5, most_dots = 15;

// The number behind `name` in "name:number", at most `most`; 0 when this is another word, or no number.
int value_of(std::string_view word, std::string_view name, int most) {
    if (!word.starts_with(name)) return 0;
    int value = 0;
    const char* const end = word.data() + word.size();
    const auto [behind, error] = std::from_chars(word.data() + name.size(), end, value);
    if (error == std::errc::result_out_of_range) return most;
    return error == std::errc() && behind == end ? std::clamp(value, 0, most) : 0;
}

void read_options(ResolvConf& conf, std::istream& words) {
    for (std::string word; words >> word;) {
        if (const int seconds = value_of(word, "timeout:", longest_timeout)) conf.timeout = Seconds(seconds);
        if (const int attempts = value_of(word, "attempts:", most_attempts)) conf.attempts = attempts;
        if (word == "ndots:0") conf.ndots = 0;
        if (const int dots = value_of(word, "ndots:", most_dots)) conf.ndots = dots;
    }
}

std::vector<std::string> read_domains(std::istream& words) {
    std::vector<std::string> domains;
    for (std::string domain; words >> domain;) domains.push_back(domain);
    return domains;
}

void read_line(ResolvConf& conf, const std::string& line) {
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    if (keyword == "options") read_options(conf, words);
    if (keyword == "search" || keyword == "domain") conf.search = read_domains(words);
    if (keyword == "domain" && conf.search.size() > 1) conf.search.resize(1);
}

std::vector<std::string> own_domain() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return {};
    const std::string_view own(name.data());
    const std::size_t dot = own.find('.');
    return dot == own.npos || dot + 1 == own.size() ? std::vector<std::string>() : std::vector{std::string(own.substr(dot + 1))};
}

// Such a name is of no DNS, and must not be shown to it (RFC 7686, section 2).
bool is_onion(std::string_view name) {
    constexpr std::string_view below = ".onion";
    if (name.ends_with('.')) name.remove_suffix(1);
    return name.size() >= below.size() && equals_ignoring_case(name.substr(name.size() - below.size()), below);
}

}  // namespace

ResolvConf read_resolv_conf(const std::string& path) {
    ResolvConf conf;
    conf.search = own_domain();
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) read_line(conf, line);
    if (const char* environment = std::getenv("LOCALDOMAIN")) read_line(conf, std::string("search ") + environment);
    if (const char* environment = std::getenv("RES_OPTIONS")) read_line(conf, std::string("options ") + environment);
    return conf;
}

std::vector<std::string> full_names(const std::string& host, const ResolvConf& conf) {
    if (host.ends_with('.')) return {host};
    const std::string own = host + ".";
    if (is_onion(host)) return {own};
    std::vector<std::string> names;
    for (const std::string& domain : conf.search) {
        std::string name = own + std::string(std::string_view(domain).substr(domain.starts_with('.') ? 1 : 0));
        if (!name.ends_with('.')) name += '.';
        if (name != own) names.push_back(std::move(name));
    }
    const bool is_first = std::count(host.begin(), host.end(), '.') >= conf.ndots;
    names.insert(is_first ? names.begin() : names.end(), own);
    return names;
}

}  // namespace hawser::transport
