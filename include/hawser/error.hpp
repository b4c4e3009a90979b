#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <hawser/export.hpp>
#include <hawser/http.hpp>
#include <hawser/message.hpp>

namespace hawser {

/// What went wrong. `level_of` tells what follows from it.
enum class Errc {
    // Message level: reported, the connection stays open.
    bad_opcode = 1,      ///< a message of an unknown kind was given to send()
    connection_timeout,  ///< nothing was received for the timeout
    message_encoding,    ///< text, or a close reason, to be sent is not UTF-8
    message_too_big,     ///< a message to be sent is over a bound
    // Connection level: reported, then the connection ends.
    connection_closed,   ///< the peer ended the connection without a Close frame
    ping_timeout,        ///< no pong, nor anything else, came after a ping: the peer is dead
    connection_failure,  ///< the socket failed, a wait ran out, or a bound on buffered bytes was passed
    handshake_failed,    ///< the opening handshake was refused or wrong
    tls_failed,          ///< the TLS handshake or a TLS record failed
    protocol_error,      ///< the peer broke RFC 6455
    client_failed,       ///< the client cannot connect: there is no connection to end
    callback_failed,     ///< a callback or middleware threw an exception: the connection is closed with 1011
    // Handler level: thrown from the call that misused the API.
    bad_uri,         ///< a URI that cannot be
    server_failed,   ///< the server cannot listen
    reentrant,       ///< run(), run_once() or a receive() that waits, inside a callback
    invalid_option,  ///< a setting that does not exist or cannot be
    // Control: thrown by a callback or middleware to steer the connection.
    close_requested,      ///< CloseRequested
    reconnect_requested,  ///< ReconnectRequested
};

/// What follows from an error. A callback or middleware of a connection may throw an `Error` of the first two levels itself: it is
/// treated as one that the library found. Any other exception, and one of the handler level, closes the connection with 1011 and is
/// reported as `Errc::callback_failed`. See `Reactor::on_exception`.
enum class ErrorLevel {
    message,     ///< reported to on_error; the connection stays open
    connection,  ///< reported to on_error; the connection ends
    handler,     ///< thrown
    control,     ///< asks the endpoint to close or to reconnect
};

/// Category of the codes, named "hawser".
HAWSER_API const std::error_category& error_category() noexcept;
/// Makes an `Errc` comparable with any `std::error_code`.
HAWSER_API std::error_code make_error_code(Errc code) noexcept;
/// What follows from an error of this kind.
HAWSER_API ErrorLevel level_of(Errc code) noexcept;

/// An error with everything that is known of it. `what()` is a whole sentence that says what happened, to which
/// peer, at which step; `code()` is an `Errc`. Copying never throws.
class HAWSER_API Error : public std::system_error {
public:
    /// `what` is the whole sentence.
    Error(Errc code, std::string what);
    /// `cause` is the operating system's (or another library's) own code. Its text is added to the sentence.
    Error(Errc code, std::string what, std::error_code cause);
    /// A handshake that was answered with something else than expected.
    Error(Errc code, std::string what, Response response);
    /// The same, with this cause, of which its sentence tells already.
    Error with_cause(std::error_code cause) const;
    /// Shares what is known. There is no move, which would leave an error without its sentence.
    Error(const Error&) noexcept = default;
    /// As above.
    Error& operator=(const Error&) noexcept = default;

    /// The whole sentence; lives as long as the error.
    const char* what() const noexcept override;
    /// What went wrong.
    Errc errc() const noexcept;
    /// What follows from it.
    ErrorLevel level() const noexcept { return level_of(errc()); }
    /// The underlying error: the operating system's (`std::errc::timed_out` for a wait that the library bounds) or mbedTLS's. Empty when
    /// there is none.
    std::error_code cause() const noexcept;
    /// For `handshake_failed`: the answer (status, headers, first KiB of the body), or null if none came. For a `ReconnectRequested`: the
    /// redirect, or null if it was the application's own.
    const Response* response() const noexcept;

private:
    struct Detail;
    std::shared_ptr<const Detail> detail_;
};

/// Thrown from a callback or a middleware: the connection is closed with this status and reason. With what cannot be sent (RFC 6455,
/// sections 5.5 and 7.4) it is an exception like any other.
class HAWSER_API CloseRequested : public Error {
public:
    /// With the status and reason of the Close to be sent.
    explicit CloseRequested(CloseCode status = CloseCode::normal, std::string reason = {});
    /// Status of the Close.
    CloseCode status() const noexcept { return status_; }
    /// Reason of the Close.
    const std::string& reason() const noexcept { return reason_; }

private:
    CloseCode status_;
    std::string reason_;
};

/// Thrown from a client's callback or middleware: the connection ends, if there is one, and the client connects anew,
/// to `uri` unless that is empty. From on_error of a failed attempt to connect it leads elsewhere at once; once 16 attempts
/// in a row have failed, one second later. Redirects do not count. A client that is stopped stays so.
class HAWSER_API ReconnectRequested : public Error {
public:
    /// Empty: to the same URI.
    explicit ReconnectRequested(std::string uri = {});
    /// As a redirect has it: `location` is its Location, `redirect` the whole answer, which becomes `response()`. Only 301 and 308 hold
    /// for later attempts too (RFC 9110, section 15.4).
    ReconnectRequested(std::string location, Response redirect);
    /// Where to connect; empty: where it was.
    const std::string& uri() const noexcept { return uri_; }

private:
    std::string uri_;
};

}  // namespace hawser

/// @cond
template <>
struct std::is_error_code_enum<hawser::Errc> : std::true_type {};
/// @endcond
