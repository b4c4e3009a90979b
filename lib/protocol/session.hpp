#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <hawser/compression.hpp>
#include <hawser/configuration.hpp>
#include <hawser/connection.hpp>
#include <hawser/error.hpp>
#include <hawser/http.hpp>
#include <hawser/message.hpp>

#include "protocol/assembler.hpp"
#include "protocol/deflate.hpp"
#include "protocol/frame.hpp"
#include "protocol/http_parser.hpp"
#include "protocol/writer.hpp"
#include "types/entropy.hpp"
#include "types/time.hpp"

namespace hawser::protocol {

/// One half of a connection.
enum class Half : std::uint8_t {
    open,     ///< messages pass
    closing,  ///< reading: a Close came, what follows is discarded until the end; writing: Close or FIN is on its way
    closed,
};

/// The protocol of one connection, RFC 6455, in either role, without any I/O: it takes bytes, the time and commands;
/// it gives bytes to an Output and calls Events; the owner of the socket does what `step()` says.
///
/// Two halves, tracked apart. What happens in each state, read half / write half:
///
///   what comes        | message | Close           | bad frame   | end (FIN)          | time is up
///   ------------------+---------+-----------------+-------------+--------------------+-------------
///   opening           |         |                 | refuse      | error, over⁴       | error, over
///   open    / open    | deliver | deliver, →g/o   | fail        | →d/g, over¹ or d/o²| –
///   open    / closing | deliver | deliver, →g/g * | fail        | →d/g, over¹        | error, over⁵
///   open    / closed  | deliver | deliver, over   | error, over | over               | over⁵
///   closing / open    | discard | discard         | discard     | →d/g, over¹        | error, over
///   closing / closing | discard | discard         | discard     | →d/g, over¹        | over
///   closing / closed  | discard | discard         | discard     | over               | over
///   closed  / open    | discard | discard         | discard     | →d/g, over¹ or –²  | –
///   closed  / closing | discard | discard         | discard     | –                  | error, over⁵
///
///   what is called    | send()  | close()            | close_read() | close_write() | all has been sent
///   ------------------+---------+--------------------+--------------+---------------+------------------
///   opening           | closed  | closed             | over         | over          | –
///   open    / open    | sent    | sent, →o/g         | →d/o         | →o/g, FIN due | –
///   open    / closing | closed  | closed             | →d/g, over¹  | FIN due       | FIN³ →o/d
///   open    / closed  | closed  | closed             | over         | –             | –
///   closing / open    | sent    | sent, →g/g *       | –            | →g/g, FIN due | –
///   closing / closing | closed  | closed             | –            | FIN due       | FIN³ →g/d
///   closing / closed  | closed  | closed             | over         | –             | –
///   closed  / open    | sent    | sent, →d/g, over¹  | –            | →d/g, over¹   | –
///   closed  / closing | closed  | closed             | –            | –             | over
///
///   o open, g closing, d closed; "over": the socket is to be closed, and nothing happens any more.
///   ¹ as soon as what is queued has been sent.  ² with allow_half_open, unless the end cuts a message: that is an error, over¹.
///   ³ where a FIN is due: after close_write(), after a failure, after a refused handshake.
///   ⁴ no error for a server to which nothing was said.  ⁵ if a Close was sent; else no time runs.
///   * both Close frames have passed: a server is over¹, a client waits for the server's end (RFC 6455, section 7.1.1).
///   refuse: a server answers 4xx or 5xx and is closing / closing, a FIN due; a client is over. Both tell the error.
///   fail: the error is told, a Close frame says why unless the write half is closing already, then a FIN is due, →g/g. The same, with
///   1011, when the application fails.
///   While reading is stopped nothing is read, unless a Close was sent: then texts and binary messages are discarded from there on.
///   "time is up": the handshake's time, or close_timeout, which runs from the first Close or FIN of a failure, and anew while
///   what was sent before leaves, unless the peer broke the protocol. In each state
///   a write that makes no progress for `timeout` is an error, then over. Silence for `timeout` while the read half is open is
///   told once, and changes nothing.
class Session {
public:
    /// What a session tells. Each call may call the session in turn, and change its state.
    class Events {
    public:
        /// Server: a request for a WebSocket, to be answered by respond().
        virtual void on_request(Request request) = 0;
        /// Server: another request, to be answered by respond().
        virtual void on_page_request(Request request) = 0;
        /// Client: the response, to be followed by accept().
        virtual void on_response(Response response) = 0;
        /// The handshake is complete.
        virtual void on_open() = 0;
        /// A message; the receiver may set its timestamp.
        virtual void on_message(MessageView& message) = 0;
        /// `response`: the one that was not accepted, or null. `cause`: the system's code or TLS's, which `what` tells in words, or empty.
        virtual void on_error(Errc code, std::string what, const Response* response, std::error_code cause) = 0;

    protected:
        ~Events() = default;
    };

    /// What the owner of the socket has to do.
    enum class Step : std::uint8_t { none, shutdown_write, disconnect };

    Session(Role role, Events& events, Output& output, Entropy& entropy, const Configuration& configuration, TimePoint now);
    ~Session();

    /// Other settings, from now on. They must outlive the session or the next call.
    void configure(const Configuration& configuration) noexcept { configuration_ = &configuration; }

    // The opening handshake.

    /// Compresses messages, if the peer does too; without effect behind the handshake.
    void use_deflate(const DeflateOptions& options, std::shared_ptr<DeflatePool> pool);
    /// Client, before start(): adds what is offered to the request.
    void offer_extensions(Request& request) const;
    /// Server, before respond(): adds what is agreed on to the response.
    void answer_extensions(const Request& request, Response& response);
    /// Client: sends the request, or fails when it cannot be sent.
    void start(const Request& request);
    /// Server: answers the request; 101 opens, anything else ends the connection. For what cannot be the answer there is 500, and an error.
    void respond(const Response& response, TimePoint now);
    /// Client: checks the response; opens, or fails.
    void accept(const Response& response, TimePoint now);
    /// The handshake comes to nothing.
    void abandon(Errc code, std::string what);

    // The way in.

    /// Takes what was received, and changes it. Returns how much was taken: the rest is to be shown again, with more
    /// behind it or once reading is resumed.
    std::size_t receive(std::span<char> bytes, TimePoint now);
    /// Where a large message's next bytes may be received directly, or empty; then `receive_direct(size)`.
    std::span<char> direct_target(std::weak_ptr<Buffer>& spare) {
        return wants_messages() ? assembler_.direct_target(spare) : std::span<char>();
    }
    void receive_direct(std::size_t size, TimePoint now);
    /// The peer closed its write half.
    void receive_end();
    /// Stops and resumes delivery.
    void set_reading(bool reading, TimePoint now) noexcept;
    /// Whether bytes would be taken. Behind a Close of ours they are, whoever has stopped reading: the peer's answer is among them.
    bool wants_input() const noexcept {
        if (over_ || end_received_ || phase_ == Phase::deciding) return false;
        return reading_ || close_sent_ || phase_ != Phase::open || read_ != Half::open;
    }

    // The way out.

    /// Sends a message; `prepared` is the same message, encoded already. `ok`, `refused` or `closed`.
    SendStatus send(const MessageView& message, TimePoint now, const PreparedMessage* prepared = nullptr);
    void close_read() noexcept;
    void close_write() noexcept;
    /// The socket took less than it was given; it took something.
    void write_blocked(TimePoint now) noexcept;
    void write_progress(TimePoint now) noexcept;
    /// The FIN that step() asked for is on its way.
    void write_shut() noexcept { write_ = Half::closed; }
    /// The socket failed, or TLS did.
    void transport_failed(std::string what, Errc code = Errc::connection_failure, std::error_code cause = {});
    /// The application cannot go on with the connection: the peer is told so with 1011, and nothing more is delivered.
    void application_failed(TimePoint now);
    /// Bytes came, though none that could be shown.
    void heard(TimePoint now) noexcept {
        last_received_ = now;
        silence_reported_ = false;
    }
    /// When bytes came last.
    TimePoint last_received() const noexcept { return last_received_; }

    // Time.

    TimePoint next_deadline() const noexcept;
    /// `is_securing`: the handshake of TLS below is under way.
    void tick(TimePoint now, bool is_securing = false);

    // State.

    /// What is to be done now; `flushed`: nothing waits to be sent.
    Step step(bool flushed) const noexcept {
        if (over_ || (flushed && end_when_flushed_)) return Step::disconnect;
        return flushed && fin_due_ && write_ == Half::closing ? Step::shutdown_write : Step::none;
    }
    bool is_open() const noexcept { return phase_ == Phase::open; }
    /// The handshake was completed once.
    bool was_open() const noexcept { return was_open_; }
    bool is_readable() const noexcept { return phase_ == Phase::open && read_ == Half::open && !over_; }
    bool is_writable() const noexcept { return phase_ == Phase::open && write_ == Half::open && !over_; }
    Half read_half() const noexcept { return read_; }
    Half write_half() const noexcept { return write_; }
    /// The first Close frame was the application's.
    bool close_began_here() const noexcept { return close_began_here_; }
    bool is_over() const noexcept { return over_; }
    /// No message will be sent or received any more: gives up what compression and half a message hold.
    void give_up_memory() noexcept;
    /// Ends it from outside.
    void set_over() noexcept { over_ = true; }
    /// Remembers what ended it; the first one counts.
    void note(const Error& error);
    Role role() const noexcept { return role_; }
    /// How it ended.
    Disconnect ending() const;

private:
    enum class Phase : std::uint8_t { head, body, deciding, open, refused };
    struct Opening;

    void receive_head(std::span<char>& rest, TimePoint now);
    void examine(Request request, TimePoint now);
    void head_failed(TimePoint now);
    bool is_no_head(TimePoint now);
    void skip_interim(std::span<char>& rest, TimePoint now);
    void receive_body(std::span<char>& rest, TimePoint now);
    void receive_messages(std::span<char>& rest, TimePoint now);
    void receive_close(MessageView& message, TimePoint now);
    void stop_messages(Half half) noexcept;
    void deliver_response(TimePoint now);
    void refuse(const HttpFailure& failure, TimePoint now);
    std::string format_answer(const Response& response) const;
    std::optional<std::string> check_extensions(const Response& response);
    void open(TimePoint now);
    void start_deflate();
    void fail(Failure failure, TimePoint now);
    void end_by_close(CloseCode code, std::string_view reason, TimePoint now);
    void end_when_flushed() noexcept;
    void end_with(Errc code, std::string what, std::error_code cause = {});
    bool is_held_back(Opcode opcode) noexcept;
    void show(MessageView& message);
    void send_close(CloseCode code, std::string_view reason, TimePoint now);
    void write(Opcode opcode, std::string_view payload, unsigned rsv = 0);
    void send_compressed(const MessageView& message, const PreparedMessage* prepared);
    bool can_share(const PreparedMessage* prepared) const noexcept;
    void both_closes_passed() noexcept;
    void start_close_wait(TimePoint now) noexcept;
    const char* missing_step(bool is_securing) const noexcept;
    void wait_is_over(TimePoint now, bool is_securing);
    TimePoint idle_deadline() const noexcept;
    TimePoint stall_deadline() const noexcept;
    bool is_opening() const noexcept { return phase_ < Phase::open; }
    bool wants_messages() const noexcept { return is_readable() && (reading_ || close_sent_); }
    Disconnect& ending_slot();

    Events& events_;
    Output& output_;
    Entropy& entropy_;
    const Configuration* configuration_;
    std::unique_ptr<Opening> opening_;
    std::unique_ptr<Disconnect> ending_;
    TimePoint wait_deadline_;  // of the opening handshake, then of the closing one
    TimePoint last_received_;
    TimePoint stalled_since_ = TimePoint::max();
    Assembler assembler_;
    std::unique_ptr<Deflater> deflater_;  // when messages may be compressed
    Role role_;
    Phase phase_ = Phase::head;
    Half read_ = Half::open;
    Half write_ = Half::open;
    bool reading_ : 1 = true;
    bool was_open_ : 1 = false;
    bool close_began_here_ : 1 = false;
    bool close_sent_ : 1 = false;
    bool close_received_ : 1 = false;
    bool fin_due_ : 1 = false;
    bool end_when_flushed_ : 1 = false;
    bool end_received_ : 1 = false;
    bool over_ : 1 = false;
    bool in_frame_ : 1 = false;  // what was left of the last input is the beginning of a frame
    bool silence_reported_ : 1 = false;
    bool failed_ : 1 = false;      // the peer broke the protocol
    bool skips_data_ : 1 = false;  // what came behind our Close while reading was stopped was dropped, and so is what follows
};

}  // namespace hawser::protocol
