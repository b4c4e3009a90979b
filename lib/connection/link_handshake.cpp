#include <new>
#include <utility>

#include "connection/link.hpp"
#include "protocol/handshake.hpp"

namespace hawser::connection {

// The opening handshake passes the chain: what is received from the session to the owner, what is sent from the owner
// to the session. A middleware may finish its step later, outside of any turn.

void Link::on_request(Request request) { received_request(std::move(request), false); }

void Link::on_page_request(Request request) { received_request(std::move(request), true); }

void Link::received_request(Request request, bool is_page) {
    handshake_ = std::make_unique<Handshake>();
    handshake_->is_page = is_page;
    // Hooks may look at what was received while they change what is passed on.
    if (chain_->of(Hook::http_incoming)) handshake_->heads->request = request;
    begin_handshake(Hook::http_incoming, std::move(request));
}

void Link::on_response(Response response) { begin_handshake(Hook::http_incoming, std::move(response)); }

void Link::begin_handshake(Hook direction, HttpMessage message) {
    const HookListPtr list = chain_->of(direction);
    run_handshake(direction, list, list && direction == Hook::http_incoming ? list->list.size() : 0, std::move(message));
}

void Link::run_handshake(Hook direction, const HookListPtr& list, std::size_t position, HttpMessage message) {
    const bool complete = call([&](Owner&) { Chain::http(*this, direction, list, position, std::move(message)); });
    if (complete || session_.is_open() || session_.is_over()) return;
    if (session_.role() == protocol::Role::server)
        session_.respond(protocol::refuse_response({500, "the server failed to answer"}), core_.now());
    else
        session_.abandon(Errc::handshake_failed, "the opening handshake failed: a callback or middleware threw an exception");
    proceed();
}

void Link::received_http(HttpMessage message) {
    if (!owner_) return;
    if (session_.role() == protocol::Role::server) {
        handshake_->heads->request = std::get<Request>(std::move(message));
        const Request& request = handshake_->heads->request;
        return answer_http(handshake_->is_page ? owner_->answer_page(*this, request) : owner_->answer(*this, request));
    }
    handshake_->heads->response = std::get<Response>(std::move(message));
    handshake_->has_response = true;
    session_.accept(handshake_->heads->response, core_.now());
    proceed();
}

void Link::answer_http(Response response) { begin_handshake(Hook::http_outgoing, std::move(response)); }

void Link::send_http(HttpMessage message) {
    if (session_.role() == protocol::Role::server) {
        handshake_->heads->response = std::get<Response>(std::move(message));
        handshake_->has_response = true;
        session_.answer_extensions(handshake_->heads->request, handshake_->heads->response);
        session_.respond(handshake_->heads->response, core_.now());
    } else {
        handshake_->heads->request = std::get<Request>(std::move(message));
        session_.offer_extensions(handshake_->heads->request);
        session_.start(handshake_->heads->request);
    }
    proceed();
}

void Link::use_compression(const DeflateOptions& options) {
    options.validate();
    if (finished_) return;
    std::shared_ptr<void>& codecs = core_.codecs();
    if (!codecs) codecs = std::make_shared<protocol::DeflatePool>();
    session_.use_deflate(options, std::static_pointer_cast<protocol::DeflatePool>(codecs));
}

void Link::dropped_http() {
    if (session_.role() == protocol::Role::server) return disconnect();
    session_.abandon(Errc::handshake_failed, "the opening handshake failed: a middleware dropped it");
    proceed();
}

/// The session may go on with what has been received meanwhile.
void Link::proceed() {
    again_ = true;
    schedule();
}

void Link::keep_heads() {
    if (!handshake_) return;
    if (!settings_->keep_handshake) return handshake_.reset();
    handshake_->packed = pack(*handshake_->heads);
    handshake_->heads.reset();
}

const Heads* Link::heads() const noexcept try {
    if (!handshake_) return nullptr;
    if (!handshake_->heads) {
        handshake_->heads = std::make_unique<Heads>(unpack(handshake_->packed));
        handshake_->packed = std::string();
    }
    return handshake_->heads.get();
} catch (const std::bad_alloc&) {
    return nullptr;
}

const Request* Link::handshake_request() const noexcept {
    const Heads* known = heads();
    return known ? &known->request : nullptr;
}

const Response* Link::handshake_response() const noexcept {
    const Heads* known = heads();
    return known && handshake_->has_response ? &known->response : nullptr;
}

}  // namespace hawser::connection
