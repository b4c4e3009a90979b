#include <hawser/stock_middlewares.hpp>

#include <mbedtls/base64.h>
// 2.28's header lacks the linkage specification.
extern "C" {
#include <mbedtls/constant_time.h>
}

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr std::string_view scheme = "basic ";

bool has_scheme(std::string_view field) {
    return field.size() > scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), field.begin(), [](char a, char b) { return a == (b | 0x20); });
}

std::optional<std::string> decode(std::string_view base64) {
    std::string bytes(base64.size(), '\0');
    std::size_t size = 0;
    const int result = mbedtls_base64_decode(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), &size,
                                             reinterpret_cast<const unsigned char*>(base64.data()), base64.size());
    if (result != 0) return std::nullopt;
    bytes.resize(size);
    return bytes;
}

/// Takes as long whatever the difference is: only the length of what was sent shows.
bool equal_in_constant_time(std::string_view given, std::string_view secret) {
    // Something of the same length to compare with, so that a wrong length costs the same.
    const std::string_view against = given.size() == secret.size() ? secret : given;
    const bool same = mbedtls_ct_memcmp(given.data(), against.data(), given.size()) == 0;
    return same && given.size() == secret.size();
}

}  // namespace

BasicAuth::BasicAuth(std::map<std::string, std::string, std::less<>> users, std::string realm)
    : users_(std::move(users)), realm_(std::move(realm)) {
    if (realm_.find_first_of("\"\\\r\n") != std::string::npos)
        throw Error(Errc::invalid_option, "the realm of BasicAuth has a quote or a line end in it");
}

void BasicAuth::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    const Request* request = std::get_if<Request>(&message);
    if (!request) return next(std::move(message));
    const auto field = request->headers.get("Authorization");
    std::string user;
    if (request->headers.count("Authorization") == 1 && has_scheme(*field) && accepts(field->substr(scheme.size()), user)) {
        connection.set_meta("user", std::move(user));
        return next(std::move(message));
    }
    next.respond(
        Response{401,
                 {},
                 {{"WWW-Authenticate", "Basic realm=\"" + realm_ + "\", charset=\"UTF-8\""}, {"Content-Type", "text/plain; charset=utf-8"}},
                 "a user and a password are asked for\n"});
}

bool BasicAuth::accepts(std::string_view credentials, std::string& user) const {
    const auto decoded = decode(credentials);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return false;
    user = decoded->substr(0, colon);
    const std::string_view password = std::string_view(*decoded).substr(colon + 1);
    const auto found = users_.find(user);
    // An unknown user takes a comparison too.
    const bool same = equal_in_constant_time(password, found != users_.end() ? std::string_view(found->second) : password);
    return same && found != users_.end();
}

}  // namespace hawser
