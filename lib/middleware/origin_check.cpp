#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

// Scheme and host of an origin are ASCII (RFC 6454, section 6.2).
std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return result;
}

}  // namespace

OriginCheck::OriginCheck(std::vector<std::string> allowed, bool allow_absent) : allowed_(std::move(allowed)), allow_absent_(allow_absent) {
    for (std::string& origin : allowed_) origin = lower(origin);
}

void OriginCheck::http_incoming(Connection&, HttpMessage message, const HttpNext& next) {
    const Request* request = std::get_if<Request>(&message);
    if (!request) return next(std::move(message));
    const std::size_t count = request->headers.count("Origin");
    const bool listed = count == 1 && std::find(allowed_.begin(), allowed_.end(), lower(*request->headers.get("Origin"))) != allowed_.end();
    if (listed || (count == 0 && allow_absent_)) return next(std::move(message));
    next.respond(Response{403, {}, {{"Content-Type", "text/plain; charset=utf-8"}}, "this Origin is not allowed here\n"});
}

}  // namespace hawser
