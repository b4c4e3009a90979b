#include "connection/outbox.hpp"

#include <list>
#include <utility>

#include "types/buffer.hpp"

namespace hawser::connection {

namespace {

/// Either own bytes or shared ones.
struct Chunk {
    Buffer own{};
    std::shared_ptr<const std::string> shared{};

    std::string_view view() const noexcept { return shared ? std::string_view(*shared) : own.view(); }
};

/// An own chunk that holds this much is not grown any more, so that what has been sent is given back in time.
constexpr std::size_t chunk_limit = 256 * 1024;

}  // namespace

struct Outbox::Queue {
    std::list<Chunk> chunks{};  // most often one: a deque would take ten times its size
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
    std::list<Chunk>& chunks = queue().chunks;
    if (chunks.empty() || chunks.back().shared || chunks.back().own.size() >= chunk_limit) chunks.emplace_back();
    Buffer& own = chunks.back().own;
    own.make_room(size);
    char* room = own.end();
    own.add(size);
    queue_->size += size;
    return room;
}

void Outbox::append(std::string_view bytes) {
    if (!bytes.empty()) bytes.copy(reserve(bytes.size()), bytes.size());
}

void Outbox::append_shared(const std::shared_ptr<const std::string>& bytes) {
    if (bytes->size() < share_minimum) return append(*bytes);
    queue().chunks.push_back(Chunk{{}, bytes});
    queue_->size += bytes->size();
}

std::size_t Outbox::describe(std::span<iovec> slices) const noexcept {
    if (!queue_) return 0;
    std::size_t count = 0, sent = queue_->sent;
    for (auto chunk = queue_->chunks.begin(); chunk != queue_->chunks.end() && count < slices.size(); ++chunk) {
        const std::string_view rest = chunk->view().substr(std::exchange(sent, 0));
        slices[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    return count;
}

void Outbox::consume(std::size_t size) noexcept {
    if (!queue_) return;
    queue_->size -= size;
    if (queue_->size == 0) return clear();
    for (std::list<Chunk>& chunks = queue_->chunks; size != 0;) {
        const std::size_t rest = chunks.front().view().size() - queue_->sent;
        if (size < rest) {
            queue_->sent += size;
            return;
        }
        size -= rest;
        queue_->sent = 0;
        chunks.pop_front();
    }
}

void Outbox::clear() noexcept { queue_.reset(); }

}  // namespace hawser::connection
