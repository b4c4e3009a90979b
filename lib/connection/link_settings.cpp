#include <algorithm>
#include <utility>

#include "connection/link.hpp"

namespace hawser::connection {

Link::Extras& Link::extras() {
    if (!extras_) extras_ = std::make_unique<Extras>();
    return *extras_;
}

std::any& Link::meta_slot(std::string_view key) {
    auto& meta = extras().meta;
    const auto found = meta.find(key);
    return found != meta.end() ? found->second : meta[std::string(key)];
}

const std::any* Link::find_meta(std::string_view key) const noexcept {
    if (!extras_) return nullptr;
    const auto found = extras_->meta.find(key);
    return found != extras_->meta.end() ? &found->second : nullptr;
}

void Link::take_meta(Link& other) {
    if (other.extras_) extras().meta = std::move(other.extras_->meta);
}

void Link::set_settings(Settings settings) {
    settings_ = std::move(settings);
    session_.configure(*settings_);
    schedule();
}

void Link::set_configuration(Configuration configuration) {
    configuration.validate();
    set_settings(std::make_shared<const Configuration>(std::move(configuration)));
}

void Link::set_chain(ChainPtr endpoint_chain) {
    if (!extras_ || extras_->own_middlewares.empty()) {
        chain_ = std::move(endpoint_chain);
        return;
    }
    Middlewares all = endpoint_chain->middlewares();
    all.insert(all.end(), extras_->own_middlewares.begin(), extras_->own_middlewares.end());
    extras_->endpoint_chain = std::move(endpoint_chain);
    chain_ = std::make_shared<const Chain>(std::move(all));
    if (owner_ && chain_->of(Hook::tick)) owner_->want_ticks();
}

void Link::add_middleware(std::shared_ptr<Middleware> middleware) {
    if (!middleware) throw Error(Errc::invalid_option, "a middleware is null");
    const ChainPtr of_endpoint = extras().own_middlewares.empty() ? chain_ : extras_->endpoint_chain;
    extras_->own_middlewares.push_back(std::move(middleware));
    set_chain(of_endpoint);
}

bool Link::remove_middleware(const Middleware& middleware) {
    if (!extras_) return false;
    Middlewares& own = extras_->own_middlewares;
    const auto found = std::find_if(own.begin(), own.end(), [&](const auto& one) { return one.get() == &middleware; });
    if (found == own.end()) return false;
    own.erase(found);
    set_chain(extras_->endpoint_chain);
    return true;
}

void Link::tick() {
    const HookListPtr list = chain_->of(Hook::tick);
    if (list && is_connected()) call([&](Owner&) { Chain::tick(*this, list, 0); });
}

void Link::tick_after(Seconds delay) {
    if (finished_) return;
    const TimePoint at = later(core_.now(), delay > Seconds(0) ? std::min(delay, longest_wait) : Seconds(0));
    if (at >= tick_at_) return;
    tick_at_ = at;
    schedule();
}

}  // namespace hawser::connection
