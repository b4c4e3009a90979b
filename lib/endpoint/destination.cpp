#include "endpoint/destination.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "types/origin.hpp"

namespace hawser::endpoint {

namespace {

/// What is meant for one origin alone. The documentation has the list (security.md), the http option "secret_header" the application's own.
constexpr std::array secret_fields = {
    "Authorization",   "Cookie",         "Proxy-Authorization",  "Api-Key",      "Apikey",        "X-Api-Key",
    "X-Api-Token",     "X-Access-Token", "X-Amz-Security-Token", "X-Auth-Key",   "X-Auth-Token",  "X-Csrf-Token",
    "X-Functions-Key", "X-Goog-Api-Key", "X-Vault-Token",        "X-Xsrf-Token", "Private-Token", "Ocp-Apim-Subscription-Key"};

/// RFC 9110, sections 15.4.2 and 15.4.9: the others are for one attempt.
bool is_permanent(int status) { return status == 301 || status == 308; }

}  // namespace

bool Destination::go_home() {
    present_ = home_;
    is_temporary_ = false;
    return std::exchange(is_redirected_, false);
}

void Destination::follow(const ReconnectRequested& request, bool is_bound) {
    const Response* redirect = request.response();
    if (!redirect && request.uri().empty()) {
        go_home();
        return;
    }
    Uri next = present_.resolve(request.uri());
    const auto refuse = [&](const std::string& why) { throw Error(Errc::handshake_failed, next.str() + ": " + why); };
    if (present_.is_secure() && !next.is_secure()) refuse("it would give up encryption");
    if (redirect && is_bound && !have_same_origin(next, present_)) refuse("the Unix socket leads to " + present_.authority() + " alone");
    // Back at the given origin its credentials count again.
    if (!next.has_credentials() && have_same_origin(next, given_)) next = given_.resolve(next.str());
    present_ = std::move(next);
    is_redirected_ = redirect != nullptr;
    is_temporary_ = redirect && (is_temporary_ || !is_permanent(redirect->status));
    if (!is_temporary_) home_ = present_;
}

void Destination::remove_foreign(Headers& headers, const Context& context) const {
    if (have_same_origin(present_, given_)) return;
    headers.remove("Host");
    for (const char* name : secret_fields) headers.remove(name);
    for (const std::string& name : context.get_option_or("http", "secret_header", std::vector<std::string>())) headers.remove(name);
}

}  // namespace hawser::endpoint
