#include <hawser/connection.hpp>

#include <map>
#include <mutex>
#include <utility>

#include "protocol/writer.hpp"

namespace hawser {

namespace {

template <typename Change>
void change(Connection& connection, Change&& apply) {
    Configuration changed = connection.configuration();
    apply(changed);
    connection.set_configuration(std::move(changed));
}

}  // namespace

void Connection::set_logger(std::shared_ptr<Logger> logger) {
    change(*this, [&](Configuration& c) { c.logger = std::move(logger); });
}

void Connection::set_timeout(Seconds timeout) {
    change(*this, [&](Configuration& c) { c.timeout = timeout; });
}

void Connection::set_frame_size(std::size_t size) {
    change(*this, [&](Configuration& c) { c.frame_size = size; });
}

void Connection::set_option(std::string_view wrapper, std::string_view name, OptionValue value) {
    change(*this, [&](Configuration& c) { c.context.set_option(wrapper, name, std::move(value)); });
}

struct PreparedMessage::Content {
    Content(const MessageView& view, std::size_t size) : message(view), frame_size(size) {}
    const Message message;
    const std::size_t frame_size;
    // The connections that share it may belong to reactors in several threads.
    mutable std::mutex mutex{};
    mutable std::map<unsigned, Frames> variants{};
};

PreparedMessage::PreparedMessage(const MessageView& message, std::size_t frame_size) {
    if (frame_size == 0) throw Error(Errc::invalid_option, "the frame size of a prepared message is 0, it must be at least 1");
    if (auto objection = protocol::object_to(message)) throw Error(objection->code, "a message cannot be prepared: " + objection->what);
    content_ = std::make_shared<const Content>(message, frame_size);
    frames_ = std::make_shared<const std::string>(protocol::encode_unmasked(view(), frame_size));
}

MessageView PreparedMessage::view() const noexcept { return content_->message.view(); }
std::size_t PreparedMessage::frame_size() const noexcept { return content_->frame_size; }

PreparedMessage::Frames PreparedMessage::variant(unsigned key, const std::function<Frames()>& make) const {
    const std::lock_guard lock(content_->mutex);
    Frames& frames = content_->variants[key];
    if (!frames) frames = make();
    return frames;
}

}  // namespace hawser
