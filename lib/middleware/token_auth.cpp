#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr std::string_view scheme = "bearer ";

Response unauthorized(const char* challenge) {
    return Response{
        401, {}, {{"WWW-Authenticate", challenge}, {"Content-Type", "text/plain; charset=utf-8"}}, "a valid token is asked for\n"};
}

}  // namespace

TokenAuth::TokenAuth(Judge judge) : judge_(std::move(judge)) {
    if (!judge_) throw Error(Errc::invalid_option, "TokenAuth has no function that judges tokens");
}

void TokenAuth::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    const Request* request = std::get_if<Request>(&message);
    if (!request) return next(std::move(message));
    const std::string field(request->headers.get("Authorization").value_or(""));
    const bool is_bearer = request->headers.count("Authorization") == 1 && field.size() > scheme.size() &&
                           std::equal(scheme.begin(), scheme.end(), field.begin(), [](char a, char b) { return a == (b | 0x20); });
    if (!is_bearer) return next.respond(unauthorized("Bearer"));
    judge_(connection, std::string_view(field).substr(scheme.size()), [rest = next.later(), message = std::move(message)](bool accepted) {
        if (accepted)
            rest(message);
        else
            rest.respond(unauthorized("Bearer error=\"invalid_token\""));
    });
}

}  // namespace hawser
