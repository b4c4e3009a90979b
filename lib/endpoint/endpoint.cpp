#include <hawser/endpoint.hpp>

#include "endpoint/base.hpp"

namespace hawser {

Endpoint::Endpoint(std::shared_ptr<endpoint::Base> base) noexcept : base_(std::move(base)) {}
Endpoint::~Endpoint() { base_->end(); }

Reactor& Endpoint::reactor() const noexcept { return base_->reactor(); }
const Configuration& Endpoint::configuration() const noexcept { return base_->configuration(); }

// A call keeps the body until it returns: what it calls or lets go of may destroy the endpoint.

void Endpoint::listen_message(Opcode opcode, Listeners::OnMessage function) {
    std::shared_ptr(base_)->listen(base_->message_slot(opcode), std::move(function));
}
void Endpoint::listen_any_message(Listeners::OnMessage function) {
    std::shared_ptr(base_)->listen(base_->slots.any_message, std::move(function));
}
void Endpoint::listen_handshake(Listeners::OnHandshake function) {
    std::shared_ptr(base_)->listen(base_->slots.handshake, std::move(function));
}
void Endpoint::listen_disconnect(Listeners::OnDisconnect function) {
    std::shared_ptr(base_)->listen(base_->slots.disconnect, std::move(function));
}
void Endpoint::listen_error(Listeners::OnError function) {
    std::shared_ptr(base_)->listen(base_->slots.error, std::move(function));
}
void Endpoint::listen_drain(Listeners::OnDrain function) {
    std::shared_ptr(base_)->listen(base_->slots.drain, std::move(function));
}
void Endpoint::listen_connect(Listeners::OnHandshake function) {
    std::shared_ptr(base_)->listen(base_->slots.connect, std::move(function));
}
void Endpoint::listen_tick(Listeners::OnTick function) {
    const auto base = base_;
    base->listen(base->slots.tick, std::move(function));
    base->update_tick();
}

void Endpoint::append_middleware(std::shared_ptr<Middleware> middleware) {
    std::shared_ptr(base_)->add_middleware(std::move(middleware));
}
bool Endpoint::remove_middleware(const Middleware& middleware) { return std::shared_ptr(base_)->remove_middleware(middleware); }
bool Endpoint::remove_close_handler() { return std::shared_ptr(base_)->remove_close_handler(); }
bool Endpoint::remove_ping_responder() { return std::shared_ptr(base_)->remove_ping_responder(); }
void Endpoint::apply_configuration(Configuration configuration) {
    std::shared_ptr(base_)->set_configuration(std::move(configuration));
}
void Endpoint::apply_context(Context context) { std::shared_ptr(base_)->set_context(std::move(context)); }

}  // namespace hawser
