#include "transport/bind.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "transport/resolver.hpp"
#include "transport/socket_options.hpp"

namespace hawser::transport {
namespace {

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

Error cannot_listen(const std::string& where, const std::string& why, std::error_code cause = {}) {
    return error_of(Errc::server_failed, "cannot listen on " + where + ": " + why, cause);
}

void bind_to(const Descriptor& socket, const Address& address) {
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) throw_errno();
}

void listen_on(const Descriptor& socket, const Context& context) {
    const int family = Address::local_of(socket.get()).family();
    SocketOptions(context, family).apply(socket.get());
#ifdef TCP_DEFER_ACCEPT
    // A client speaks first (RFC 6455, section 4.1). The kernel keeps a silent one to itself for a second; where it cannot, that is well.
    const int seconds = 1;
    if (family != AF_UNIX) (void)setsockopt(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
#endif
    if (listen(socket.get(), int(context.get_option_or<std::int64_t>("socket", "backlog", 4096))) != 0) throw_errno();
}

BoundSocket bind_ip(const Address& address, const Context& context) {
    BoundSocket bound{open_stream_socket(address.family()), {}, {}};
    const int socket = bound.descriptor.get();
    // Connections of a server that has ended may linger in TIME_WAIT: they must not keep the next one from its port.
    set_socket_option(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (context.get_option_or("socket", "so_reuseport", false)) set_socket_option(socket, SOL_SOCKET, SO_REUSEPORT, 1, "so_reuseport");
    if (address.family() == AF_INET6) {
        set_socket_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, context.get_option_or("socket", "ipv6_v6only", false), "ipv6_v6only");
    }
    bind_to(bound.descriptor, address);
    listen_on(bound.descriptor, context);
    bound.address = Address::local_of(socket);
    return bound;
}

std::vector<Address> look_up(const ListenOptions& options) {
    if (const std::string reason = no_address_reason(options.host); !reason.empty())
        throw cannot_listen(options.host + ":" + std::to_string(options.port), reason);
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (const int status = getaddrinfo(options.host.c_str(), nullptr, &hints, &found); status != 0) {
        throw cannot_listen(options.host + ":" + std::to_string(options.port), gai_strerror(status));
    }
    std::vector<Address> addresses;
    for (const addrinfo* node = found; node; node = node->ai_next) {
        Address address(node->ai_addr, node->ai_addrlen);
        address.set_port(options.port);
        // A hosts file may name an address twice, which would be in its own way.
        if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    }
    freeaddrinfo(found);
    return addresses;
}

std::vector<Address> addresses_for(const ListenOptions& options) {
    if (!options.host.empty()) {
        std::vector<Address> known = known_addresses(options.host, options.port);
        // What is shown of a listener is its first address: of localhost's two the one that everybody knows.
        std::reverse(known.begin(), known.end());
        return known.empty() ? look_up(options) : known;
    }
    std::vector<Address> wildcards = {Address::literal("::", options.port)};
    if (!options.context.get_option_or("socket", "ipv6_v6only", false)) wildcards.push_back(Address::literal("0.0.0.0", options.port));
    return wildcards;
}

// The system has no such address, or nothing of its family.
bool is_unavailable(const std::error_code& code) {
    return code == std::errc::address_not_available || code == std::errc::address_family_not_supported;
}

// Binds those addresses that the system has, all to one port.
std::vector<BoundSocket> bind_each(std::vector<Address> addresses, const Context& context) {
    std::vector<BoundSocket> bound;
    std::optional<Error> failure;
    for (Address& address : addresses) {
        if (!bound.empty()) address.set_port(bound.front().address.port());
        try {
            bound.push_back(bind_ip(address, context));
        } catch (const std::system_error& error) {
            failure = cannot_listen(address.str(), error.what(), error.code());
            if (!is_unavailable(error.code())) throw Error(*failure);
        }
        // [::] takes IPv4 too; 0.0.0.0 is for systems that have no IPv6.
        if (!bound.empty() && bound.back().address.is_wildcard()) break;
    }
    if (bound.empty()) throw Error(*failure);
    return bound;
}

std::vector<BoundSocket> bind_host(const ListenOptions& options) {
    const std::vector<Address> addresses = addresses_for(options);
    // The port that was picked for one family may be taken in the other.
    for (int tries = options.port == 0 ? 16 : 1;; --tries) {
        try {
            return bind_each(addresses, options.context);
        } catch (const Error& error) {
            if (tries == 1 || error.cause() != std::errc::address_in_use) throw;
        }
    }
}

// Keeps others from making room at the path of a Unix socket at the same time: of several that find it stale, one alone is to replace it.
// A file of one's own beside it is locked, for that of anybody else could be locked by anybody. It is there no longer than the lock.
class PathLock {
public:
    explicit PathLock(const std::string& path) : file_(path + ".lock") {
        for (int tries = 1000; open_file() && !take(); --tries) {
            if (tries == 0) throw std::system_error(EWOULDBLOCK, std::generic_category(), "another program is about to listen there");
            const timespec a_moment{0, 1'000'000};
            nanosleep(&a_moment, nullptr);
        }
    }
    // A child that was forked meanwhile has the lock too: closing the descriptor would not end it.
    ~PathLock() {
        if (!lock_) return;
        unlink(file_.c_str());
        flock(lock_.get(), LOCK_UN);
    }
    PathLock(const PathLock&) = delete;
    PathLock& operator=(const PathLock&) = delete;

private:
    // Where there can be no file, bind() has something to say; what another user has put there keeps nobody from listening.
    bool open_file() {
        lock_.reset(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, S_IRUSR | S_IWUSR));
        struct stat info {};
        if (lock_ && (fstat(lock_.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid())) lock_.reset();
        return bool(lock_);
    }

    // False for a file that another has locked, or has removed since it was opened.
    bool take() {
        if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK || errno == EINTR) return false;
            // Not all file systems have locks.
            lock_.reset();
            return true;
        }
        struct stat locked {
        }, there{};
        return fstat(lock_.get(), &locked) == 0 && lstat(file_.c_str(), &there) == 0 && locked.st_ino == there.st_ino &&
               locked.st_dev == there.st_dev;
    }

    const std::string file_;
    Descriptor lock_;
};

// Makes room at `path` if what is there is a socket nobody listens on any more: after a crash nobody removed it.
void remove_stale(const std::string& path, const Address& address) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return;
    if (!S_ISSOCK(info.st_mode)) throw std::system_error(EEXIST, std::generic_category(), "what is there is no socket");
    const Descriptor probe = open_stream_socket(AF_UNIX);
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    const bool is_refused = connect(probe.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 && errno == ECONNREFUSED;
    if (!is_refused) throw std::system_error(EADDRINUSE, std::generic_category());
    if (unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno();
}

// A name that is no path, and goes with its socket (unix(7)).
bool is_abstract(const std::string& path) { return path.starts_with('\0'); }

BoundSocket bind_unix(const ListenOptions& options) {
    const Address address = Address::unix_socket(options.unix_path);
    try {
        if (sockaddr_storage storage; address.to_sockaddr(storage) == 0) {
            throw std::system_error(ENAMETOOLONG, std::generic_category(), unix_path_bound());
        }
        // Until it listens: before that it looks stale.
        std::optional<PathLock> lock;
        if (!is_abstract(options.unix_path)) lock.emplace(options.unix_path);
        BoundSocket bound{open_stream_socket(AF_UNIX), address, {}};
        try {
            bind_to(bound.descriptor, address);
        } catch (const std::system_error& error) {
            if (error.code() != std::errc::address_in_use) throw;
            remove_stale(options.unix_path, address);
            bind_to(bound.descriptor, address);
        }
        bound.file = SocketFile(options.unix_path);
        listen_on(bound.descriptor, options.context);
        return bound;
    } catch (const std::system_error& error) {
        throw cannot_listen(address.str(), error.what(), error.code());
    }
}

// Takes over a descriptor that somebody else has bound, such as systemd.
BoundSocket adopt(const ListenOptions& options) {
    const int socket = options.descriptor;
    try {
        int is_listening = 0;
        socklen_t length = sizeof is_listening;
        if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0) throw_errno();
        if (!is_listening) throw std::system_error(EINVAL, std::generic_category(), "it is a socket that does not listen");
        const int flags = fcntl(socket, F_GETFL);
        if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) throw_errno();
        const Address address = Address::local_of(socket);
        SocketOptions(options.context, address.family()).apply(socket);
        return {Descriptor(socket), address, {}};
    } catch (const std::system_error& error) {
        throw cannot_listen("descriptor " + std::to_string(socket), error.what(), error.code());
    }
}

}  // namespace

SocketFile::SocketFile(std::string path) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return;
    path_ = std::move(path);
    device_ = info.st_dev;
    inode_ = info.st_ino;
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    std::swap(origin_, other.origin_);
    return *this;
}

SocketFile::~SocketFile() {
    struct stat info {};
    if (path_.empty() || !origin_.is_here() || lstat(path_.c_str(), &info) != 0) return;
    if (info.st_dev == device_ && info.st_ino == inode_) unlink(path_.c_str());
}

std::vector<BoundSocket> bind_sockets(const ListenOptions& options) {
    if (options.descriptor < 0 && options.unix_path.empty()) return bind_host(options);
    std::vector<BoundSocket> bound;
    bound.push_back(options.descriptor >= 0 ? adopt(options) : bind_unix(options));
    return bound;
}

}  // namespace hawser::transport
