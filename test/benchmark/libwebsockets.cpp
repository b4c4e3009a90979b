// An echo server of libwebsockets on libev. Messages are collected whole and answered from the callback for a writable socket,
// as its documentation asks; the buffers are kept between messages.
#include <libwebsockets.h>

#include <cstring>
#include <deque>
#include <vector>

#include "listening.hpp"

namespace {

struct Message {
    std::size_t start, length;  // of the payload
    bool is_binary;
};

/// Messages in a row, each behind the room that the library wants for a header.
struct Session {
    std::vector<unsigned char> bytes{};
    std::size_t start = 0;  // of the message that is being received
    std::deque<Message> received{};
};

void receive(lws* connection, Session& session, const void* data, std::size_t length) {
    if (lws_is_first_fragment(connection)) {
        if (session.received.empty()) session.bytes.clear();
        session.start = session.bytes.size() + LWS_PRE;
        session.bytes.resize(session.start);
        session.bytes.reserve(session.start + length + lws_remaining_packet_payload(connection));
    }
    const auto* begin = static_cast<const unsigned char*>(data);
    session.bytes.insert(session.bytes.end(), begin, begin + length);
    if (!lws_is_final_fragment(connection)) return;
    session.received.push_back({session.start, session.bytes.size() - session.start, lws_frame_is_binary(connection) != 0});
    lws_callback_on_writable(connection);
}

bool send(lws* connection, Session& session) {
    while (!session.received.empty()) {
        const Message message = session.received.front();
        session.received.pop_front();
        const auto protocol = message.is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (lws_write(connection, session.bytes.data() + message.start, message.length, protocol) < 0) return false;
        if (session.received.empty() || !lws_send_pipe_choked(connection)) continue;
        lws_callback_on_writable(connection);
        break;
    }
    return true;
}

int on_event(lws* connection, lws_callback_reasons reason, void* user, void* data, std::size_t length) {
    auto** session = static_cast<Session**>(user);
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: *session = new Session; break;
        case LWS_CALLBACK_CLOSED: delete *session; break;
        case LWS_CALLBACK_RECEIVE: receive(connection, **session, data, length); break;
        case LWS_CALLBACK_SERVER_WRITEABLE: return send(connection, **session) ? 0 : -1;
        default: break;
    }
    return 0;
}

}  // namespace

int main() {
    constexpr std::size_t buffer_size = 128 * 1024;
    const lws_protocols protocols[] = {{"echo", on_event, sizeof(Session*), buffer_size, 0, nullptr, 0}, {}};
    lws_context_creation_info info{};
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.pt_serv_buf_size = buffer_size;
    info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    lws_set_log_level(LLL_ERR, nullptr);
    lws_context* context = lws_create_context(&info);
    lws_vhost* host = context ? lws_create_vhost(context, &info) : nullptr;
    if (!host) return 1;
    benchmark::announce(lws_get_vhost_listen_port(host));
    while (lws_service(context, 0) >= 0) {
    }
}
