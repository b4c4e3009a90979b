#pragma once

#include <hawser/context.hpp>
#include <hawser/error.hpp>
#include <hawser/http.hpp>
#include <hawser/uri.hpp>

namespace hawser::endpoint {

/// Where a client connects to: the URI that it was given, and where redirects lead from there.
class Destination {
public:
    explicit Destination(const Uri& given) : given_(given), home_(given), present_(given) {}

    /// Of the present attempt or connection.
    const Uri& uri() const noexcept { return present_; }
    /// Where the next attempt begins: the given URI, or what permanent redirects or the application have put in its place.
    const Uri& home() const noexcept { return home_; }
    /// A redirect has led here for this attempt alone: what is refused here need not be at home.
    bool is_temporary() const noexcept { return is_temporary_; }
    /// A redirect has led here.
    bool is_redirected() const noexcept { return is_redirected_; }
    /// Makes the next attempt begin there. Returns whether redirects had led elsewhere.
    bool go_home();
    /// Goes where the application or a redirect asks; to no other origin when `is_bound` to the present one's socket. Throws what is
    /// wrong with that, as `Errc::bad_uri` or `Errc::handshake_failed`, and leaves everything as it is.
    void follow(const ReconnectRequested& request, bool is_bound);
    /// Takes out of a request's fields, if the present origin is another than the given URI's, what was meant for that one: a Host, and
    /// what is secret.
    void remove_foreign(Headers& headers, const Context& context) const;

private:
    Uri given_, home_, present_;
    bool is_redirected_ = false;
    bool is_temporary_ = false;  // one of the redirects since home was
};

}  // namespace hawser::endpoint
