#include <hawser/stock_middlewares.hpp>

#include <utility>

namespace hawser {

namespace {

/// Meta data goes along with a reconnect, so that the redirects of one attempt are counted, and no other's.
constexpr const char* meta_key = "hawser.redirects";

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

}  // namespace

void FollowRedirect::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    const Response* response = std::get_if<Response>(&message);
    const auto location = response ? response->headers.get("Location") : std::nullopt;
    if (!response || !is_redirect(response->status) || !location) {
        connection.set_meta(meta_key, 0u);
        return next(std::move(message));
    }
    const unsigned* before = connection.meta<unsigned>(meta_key);
    const unsigned count = before ? *before : 0;
    if (count >= limit_)
        throw Error(Errc::handshake_failed, connection.remote_name() + ": more than " + std::to_string(limit_) + " redirects in a row",
                    *response);
    connection.set_meta(meta_key, count + 1);
    throw ReconnectRequested(std::string(*location), *response);
}

}  // namespace hawser
