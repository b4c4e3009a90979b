#include "connection/outbox.hpp"

#include <list>
#include <utility>

#include "types/buffer.hpp"

namespace hawser::connection {

namespace {

/// An own chunk that holds this much is not grown any more, so that what has been sent is given back in time.
constexpr std::size_t chunk_limit = 256 * 1024;

}  // namespace

struct Outbox::Queue {
    /// Either own bytes or shared ones.
    struct Chunk {
        Buffer own{};
        std::shared_ptr<const std::string> shared{};

        std::string_view view() const noexcept { return shared ? std::string_view(*shared) : own.view(); }
    };

    Chunk first{};  // most often the only one
    std::list<Chunk> others{};
    Chunk& last() noexcept { return others.empty() ? first : others.back(); }
    std::size_t size = 0;
    std::size_t sent = 0;  // of the first chunk
};

Outbox::Outbox() noexcept = default;
Outbox::~Outbox() = default;

std::size_t Outbox::size() const noexcept { return queue_ ? queue_->size : 0; }

Outbox::Queue& Outbox::queue() {
    if (!queue_) queue_ = std::make_unique<Queue>();
    return *queue_;
}

char* Outbox::reserve(std::size_t size) {
    Queue& waiting = queue();
    if (waiting.last().shared || waiting.last().own.size() >= chunk_limit) waiting.others.emplace_back();
    Buffer& own = waiting.last().own;
    own.make_room(size);
    char* room = own.end();
    own.add(size);
    waiting.size += size;
    return room;
}

void Outbox::append(std::string_view bytes) {
    if (!bytes.empty()) bytes.copy(reserve(bytes.size()), bytes.size());
}

void Outbox::append_shared(const std::shared_ptr<const std::string>& bytes) {
    if (bytes->size() < share_minimum) return append(*bytes);
    Queue& waiting = queue();
    Queue::Chunk& chunk = waiting.size == 0 ? waiting.first : waiting.others.emplace_back();
    chunk.shared = bytes;
    waiting.size += bytes->size();
}

std::size_t Outbox::describe(std::span<iovec> slices) const noexcept {
    if (!queue_ || slices.empty()) return 0;
    std::size_t count = 0;
    const auto add = [&](std::string_view rest) { slices[count++] = {const_cast<char*>(rest.data()), rest.size()}; };
    add(queue_->first.view().substr(queue_->sent));
    for (auto chunk = queue_->others.begin(); chunk != queue_->others.end() && count < slices.size(); ++chunk) add(chunk->view());
    return count;
}

void Outbox::consume(std::size_t size) noexcept {
    if (!queue_) return;
    queue_->size -= size;
    if (queue_->size == 0) return clear();
    size += std::exchange(queue_->sent, 0);
    for (Queue::Chunk& first = queue_->first; size >= first.view().size();) {
        size -= first.view().size();
        first = std::move(queue_->others.front());
        queue_->others.pop_front();
    }
    queue_->sent = size;
}

void Outbox::clear() noexcept { queue_.reset(); }

}  // namespace hawser::connection
