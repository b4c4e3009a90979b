#include "transport/proxy_dialer.hpp"

#include <array>
#include <utility>

#include "transport/proxy_talk.hpp"
#include "transport/socket_options.hpp"
#include "types/time.hpp"

namespace hawser::transport {
namespace {

class ProxyDialer final : public Dialer, private Transport::Observer, private reactor::Deadline {
public:
    ProxyDialer(reactor::Core& core, const DialOptions& options, OnDone on_done)
        : core_(core),
          options_(options),
          on_done_(std::move(on_done)),
          give_up_at_(later(core.fresh_now(), options.timeout)),
          talk_(ProxyTalk::begin(*options.proxy, options.host, options.port)) {
        DialOptions to_proxy = options;
        to_proxy.proxy.reset();
        to_proxy.host = options.proxy->uri.host();
        to_proxy.port = options.proxy->port;
        dialer_ = Dialer::dial(core, to_proxy, [this](auto result) { dialed(std::move(result)); });
    }
    ~ProxyDialer() { core_.loop().arm(*this, TimePoint::max()); }
    bool is_refused() const noexcept override { return talk_->is_refused(); }

private:
    void dialed(std::variant<std::unique_ptr<Transport>, Error> result) {
        dialer_.reset();
        if (const Error* error = std::get_if<Error>(&result))
            return finish(Error(Errc::client_failed, sentence(error->what())).with_cause(error->cause()));
        transport_ = std::get<0>(std::move(result));
        core_.loop().arm(*this, give_up_at_);
        send();
    }

    void on_transport_ready(Readiness) override {
        std::array<char, 1024> room;
        while (true) {
            const IoResult result = transport_->read(room);
            if (result.status == IoResult::Status::would_block) return send();
            if (result.status == IoResult::Status::end) return fail("closed the connection");
            if (result.status == IoResult::Status::failed) return fail("failed: " + result.error().message(), result.error());
            switch (talk_->receive({room.data(), result.bytes})) {
                case ProxyTalk::Status::incomplete: break;
                case ProxyTalk::Status::complete: return succeed();
                case ProxyTalk::Status::failed: return fail(talk_->failure());
            }
        }
    }

    /// Sends what there is to say, and waits for what that leads to.
    void send() {
        unsent_ += talk_->take_output();
        if (!unsent_.empty()) {
            const std::array slice = {iovec{unsent_.data(), unsent_.size()}};
            const IoResult result = transport_->write(slice);
            if (result.status == IoResult::Status::failed) return fail("failed: " + result.error().message(), result.error());
            unsent_.erase(0, result.bytes);
        }
        transport_->watch(*this, unsent_.empty() ? Readiness::readable : Readiness::both);
    }

    void on_deadline() override {
        fail("gave no answer within " + seconds_text(options_.timeout), std::make_error_code(std::errc::timed_out));
    }

    void succeed() {
        transport_->watch(*this, Readiness::none);
        finish(std::move(transport_));
    }
    void fail(const std::string& what, std::error_code cause = {}) {
        const std::string proxy = "the proxy " + transport_->remote_name() + " ";
        finish(Error(Errc::client_failed, sentence(proxy + what)).with_cause(cause));
    }
    std::string sentence(const std::string& why) const {
        return "cannot connect to " + options_.host + ":" + std::to_string(options_.port) +
               " through a proxy (http option \"proxy\"): " + why;
    }

    void finish(std::variant<std::unique_ptr<Transport>, Error> outcome) {
        core_.loop().arm(*this, TimePoint::max());
        // It may destroy the dialer.
        const OnDone on_done = std::move(on_done_);
        transport_.reset();
        on_done(std::move(outcome));
    }

    reactor::Core& core_;
    const DialOptions options_;
    OnDone on_done_;
    const TimePoint give_up_at_;
    std::unique_ptr<ProxyTalk> talk_;
    std::unique_ptr<Dialer> dialer_;  // of the connection to the proxy
    std::unique_ptr<Transport> transport_;
    std::string unsent_;
};

}  // namespace

std::unique_ptr<Dialer> dial_through_proxy(reactor::Core& core, const DialOptions& options, Dialer::OnDone on_done) {
    return std::make_unique<ProxyDialer>(core, options, std::move(on_done));
}

}  // namespace hawser::transport
