#include "trial.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace hawser::check {

namespace {

constexpr std::size_t most_head = 256 * 1024;

std::string random_key(std::mt19937& random) {
    std::string bytes(16, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return to_base64(bytes);
}

bool has_close(const Frames& frames) {
    return std::any_of(frames.begin(), frames.end(), [](const Frame& frame) { return frame.opcode == op::close; });
}

}  // namespace

Trial::Trial(Reactor& reactor, Subject& subject, const Case& a_case, std::function<void(Trial&)> on_done)
    : reactor_(reactor),
      subject_(subject),
      case_(a_case),
      on_done_(std::move(on_done)),
      receiver_(seen_, wire_),
      random_(std::random_device()()),
      stream_(reactor, wire_,
              {[this](std::string_view bytes) { on_bytes(bytes); }, [this](bool reset) { on_end(reset); }, [this] { next_step(); },
               [this](int error) { on_connected(error); }}),
      begin_(std::chrono::steady_clock::now()) {
    seen_.role = subject.role;
    wire_.begin(begin_);
    deadline_ = reactor_.after(subject.timeout, [this] {
        wire_.note("time is up");
        finish();
    });
}

Trial::~Trial() {
    reactor_.cancel(deadline_);
    reactor_.cancel(wait_);
}

void Trial::open(int descriptor, bool connecting) {
    opened_ = true;
    stream_.open(descriptor, connecting);
    if (!connecting) seen_.connected = true;
}

void Trial::on_connected(int error) {
    if (error != 0) {
        wire_.note(std::string("cannot connect: ") + std::generic_category().message(error));
        return finish();
    }
    seen_.connected = true;
    Head head{"GET " + subject_.target + " HTTP/1.1",
              {{"Host", subject_.authority},
               {"Upgrade", "websocket"},
               {"Connection", "Upgrade"},
               {"Sec-WebSocket-Key", random_key(random_)},
               {"Sec-WebSocket-Version", "13"}}};
    if (!case_.extensions.empty()) head.set("Sec-WebSocket-Extensions", case_.extensions);
    send_head(std::move(head));
}

void Trial::send_head(Head head) {
    if (case_.edit_head) case_.edit_head(head);
    std::string bytes = head.str();
    if (case_.edit_text) case_.edit_text(bytes);
    seen_.sent = std::move(head);
    if (case_.glued) bytes += step_bytes();
    stream_.send(std::move(bytes), case_.head_chop);
}

void Trial::on_bytes(std::string_view bytes) {
    if (done_) return;
    if (!seen_.opened)
        receive_head(bytes);
    else
        receiver_.receive(bytes);
    observe();
}

void Trial::on_end(bool reset) {
    if (done_) return;
    seen_.end = reset ? Observation::End::reset : Observation::End::closed;
    note_ending();
    finish();
}

void Trial::receive_head(std::string_view bytes) {
    head_ += bytes;
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (head_.size() <= most_head) return;
        seen_.violations.emplace_back("sends a head of more than 256 KiB");
        return finish();
    }
    auto head = Head::parse(std::string_view(head_).substr(0, end + 4));
    if (!head) {
        seen_.violations.emplace_back("sends a head that is no HTTP (RFC 9112, section 2)");
        return finish();
    }
    seen_.received = std::move(*head);
    const std::string rest = head_.substr(end + 4);
    seen_.role == Role::server ? take_response() : take_request();
    if (seen_.opened && !rest.empty()) receiver_.receive(rest);
}

void Trial::take_response() {
    const Head& response = seen_.received;
    if (case_.outcome == Outcome::refusal || response.status() != 101) return finish();
    if (response.get("Sec-WebSocket-Accept") != accept_for(trim(seen_.sent.get("Sec-WebSocket-Key"))))
        seen_.violations.emplace_back("answers with a wrong Sec-WebSocket-Accept (section 4.2.2)");
    if (lower(response.get("Upgrade")) != "websocket") seen_.violations.emplace_back("answers without Upgrade: websocket (section 4.2.2)");
    if (!response.has_token("Connection", "upgrade")) seen_.violations.emplace_back("answers without Connection: Upgrade (section 4.2.2)");
    const std::string agreed = response.get("Sec-WebSocket-Extensions");
    if (!agreed.empty()) {
        seen_.deflate = DeflateAnswer::parse(agreed);
        if (case_.extensions.empty()) seen_.violations.emplace_back("agrees on an extension that was not offered (section 9.1)");
        if (!seen_.deflate) seen_.violations.emplace_back("answers with an invalid Sec-WebSocket-Extensions (RFC 7692, section 7.1)");
    }
    seen_.opened = true;
    begin_steps();
}

void Trial::take_request() {
    const Head& request = seen_.received;
    const std::string key = request.get("Sec-WebSocket-Key");
    if (!subject_.keys.insert(key).second) seen_.violations.emplace_back("uses a Sec-WebSocket-Key again (section 4.1)");
    Head response{"HTTP/1.1 101 Switching Protocols",
                  {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept_for(key)}}};
    if (case_.needs_deflate || !case_.extensions.empty()) {
        auto answer = answer_to(request.get("Sec-WebSocket-Extensions"), case_.extensions);
        if (answer) seen_.deflate = DeflateAnswer::parse(*answer);
        if (!answer && !case_.needs_deflate) answer = "permessage-deflate; " + case_.extensions;
        if (answer) response.set("Sec-WebSocket-Extensions", *answer);
    }
    seen_.opened = true;
    check_applicable();
    if (case_.glued) steps_begun_ = true;
    send_head(std::move(response));
    begin_steps();
}

void Trial::check_applicable() {
    if (!case_.needs_deflate) return;
    if (!seen_.deflate) {
        inapplicable_ = "not applicable: permessage-deflate is not agreed on";
        return;
    }
    const bool server = seen_.role == Role::server;
    const DeflateAnswer& agreed = *seen_.deflate;
    const int bits = server ? agreed.client_max_window_bits : agreed.server_max_window_bits;
    if (bits != 0 && bits < case_.needs_window_bits) inapplicable_ = "not applicable: it limits the window";
    if (case_.needs_takeover && (server ? agreed.client_no_context_takeover : agreed.server_no_context_takeover))
        inapplicable_ = "not applicable: it asks for no context takeover";
}

void Trial::begin_steps() {
    if (seen_.role == Role::server) check_applicable();
    steps_begun_ = true;
    if (stream_.is_sent()) next_step();
}

/// Called whenever everything is sent.
void Trial::next_step() {
    if (done_ || !steps_begun_ || wait_ != 0 || seen_.close_code) return;
    if (!has_step()) return observe();
    const double wait = case_.steps[step_].wait;
    if (wait <= 0) return do_step();
    wait_ = reactor_.after(Seconds(wait), [this] {
        wait_ = 0;
        if (!seen_.close_code) do_step();
    });
}

bool Trial::has_step() const { return inapplicable_.empty() && step_ < case_.steps.size(); }

std::string Trial::step_bytes() {
    if (!has_step()) return {};
    const Step& step = case_.steps[step_++];
    std::string bytes;
    for (const Frame& frame : step.frames) bytes += encode(frame, seen_.role == Role::server, random_);
    if (step.only > 0) bytes.resize(std::min(step.only, bytes.size()));
    bytes.erase(0, step.skip);
    if (case_.outcome == Outcome::closing && has_close(step.frames)) close_sent_ = true;
    return bytes;
}

void Trial::do_step() {
    const Step& step = case_.steps[step_];
    std::string bytes = step_bytes();
    stream_.send(std::move(bytes), step.chop, step.cut, step.finish);
}

bool Trial::is_answered() const {
    if (!inapplicable_.empty()) return true;
    const bool ponged = case_.pongs.empty() || (!seen_.pongs.empty() && seen_.pongs.back() == case_.pongs.back());
    return !has_step() && stream_.is_sent() && wait_ == 0 && seen_.messages.size() >= case_.messages.size() && ponged;
}

/// Whether the subject has answered what it should have failed or refused.
bool Trial::goes_on() const {
    if (case_.outcome == Outcome::refusal) return !seen_.messages.empty() || !seen_.pongs.empty();
    if (case_.outcome != Outcome::failure) return false;
    return seen_.messages.size() > case_.messages.size() || std::count(seen_.pongs.begin(), seen_.pongs.end(), probe_content) > 0;
}

void Trial::observe() {
    if (done_ || !seen_.opened) return;
    seen_.accepted = goes_on();
    if (seen_.accepted || !seen_.violations.empty()) return finish();
    if (seen_.close_code) {
        note_ending();
        if (!close_sent_) send_close(*seen_.close_code);
        // A server is to close the connection by itself, but for what it fails it may wait for us.
        if (seen_.role == Role::client || case_.outcome == Outcome::failure) stream_.finish();
    } else if ((case_.outcome == Outcome::echo || !inapplicable_.empty()) && is_answered() && !close_sent_) {
        send_close(1000);
    }
}

void Trial::note_ending() {
    if (ending_noted_) return;
    ending_noted_ = true;
    seen_.steps_before_end = step_;
}

void Trial::send_close(unsigned code) {
    close_sent_ = true;
    stream_.send(encode(code == 1005 ? data(op::close, "") : close_frame(code), seen_.role == Role::server, random_));
}

/// Later, since this is called by what the end will destroy.
void Trial::finish() {
    if (done_) return;
    done_ = true;
    stream_.close();
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    reactor_.post([this] { on_done_(*this); });
}

Result Trial::result() const {
    Judgement judgement = judge(case_, seen_);
    if (!inapplicable_.empty() && seen_.violations.empty()) judgement = {Verdict::informational, inapplicable_};
    return {&case_, std::move(judgement), seconds_, wire_.lines()};
}

}  // namespace hawser::check
