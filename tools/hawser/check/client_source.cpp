#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "sources.hpp"

namespace hawser::check {

namespace {

constexpr double most_silence = 60;
constexpr const char* nobody_came = "no client has connected for 60 seconds";
constexpr int backlog = 128;

std::system_error failure(const std::string& what) { return {errno, std::generic_category(), what}; }

sockaddr_in loopback(const std::string& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(std::stoul(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::string replace_url(std::string command, const std::string& url) {
    constexpr std::string_view place = "{url}";
    for (std::size_t at = command.find(place); at != std::string::npos; at = command.find(place, at + url.size()))
        command.replace(at, place.size(), url);
    return command;
}

/// Starts a shell with the command in a process group of its own, without input and output.
pid_t start(const std::string& command) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    std::vector<std::string> words{"sh", "-c", command};
    char* const arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t process = -1;
    const int error = posix_spawn(&process, "/bin/sh", &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) throw std::runtime_error(std::string("cannot start /bin/sh: ") + std::generic_category().message(error));
    return process;
}

}  // namespace

ClientSource::ClientSource(Reactor& reactor, Run& run, const std::string& port, std::string command)
    : reactor_(reactor), run_(run), command_(std::move(command)) {
    descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    const sockaddr_in address = loopback(port);
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(descriptor_, backlog) != 0) {
        close(descriptor_);
        throw failure("cannot listen on 127.0.0.1 port " + port);
    }
    reactor_.attach(descriptor_, Readiness::readable, [this](Readiness) { accept(); });
    if (command_.empty()) {
        watch_silence();
        return;
    }
    run_.on_start = [this](Trial& trial) { spawn(trial); };
    run_.on_done = [this](const Trial& trial) { end(trial); };
}

ClientSource::~ClientSource() {
    reactor_.cancel(silence_);
    reactor_.detach(descriptor_);
    close(descriptor_);
    for (const int stranger : strangers_) {
        reactor_.detach(stranger);
        close(stranger);
    }
    while (!processes_.empty()) end(*processes_.begin()->first);
}

std::string ClientSource::url() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
}

void ClientSource::accept() {
    const int descriptor = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
        // The client may have gone again. What else keeps it from being accepted would be reported without end.
        if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
        throw failure("cannot accept a connection");
    }
    if (command_.empty()) {
        watch_silence();
        if (Trial* const trial = run_.start()) return trial->open(descriptor, false);
        close(descriptor);
        // Clients that come again by themselves would do so without end while the last cases are under way.
        reactor_.detach(descriptor_);
        return;
    }
    strangers_.insert(descriptor);
    reactor_.attach(descriptor, Readiness::readable, [this, descriptor](Readiness) { assign(descriptor); });
}

/// The request target says which case a connection is for; the trial reads it again.
void ClientSource::assign(int descriptor) {
    char buffer[1024];
    const ssize_t count = recv(descriptor, buffer, sizeof buffer, MSG_PEEK);
    const std::string_view seen(buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count > 0 && seen.size() < sizeof buffer && seen.find("\r\n") == std::string_view::npos) return;
    reactor_.detach(descriptor);
    strangers_.erase(descriptor);
    const std::size_t begin = seen.find('/');
    const std::size_t end = seen.find(' ', begin);
    Trial* const trial = end == std::string_view::npos ? nullptr : run_.find(std::string(seen.substr(begin + 1, end - begin - 1)));
    if (trial && !trial->is_open()) return trial->open(descriptor, false);
    close(descriptor);
}

/// A client that comes again by itself may stop doing so.
void ClientSource::watch_silence() {
    reactor_.cancel(silence_);
    silence_ = reactor_.after(Seconds(most_silence), [this] {
        if (run_.running() > 0) return watch_silence();
        if (run_.done() == 0) throw std::runtime_error(nobody_came);
        run_.give_up(nobody_came);
    });
}

void ClientSource::spawn(const Trial& trial) { processes_[&trial] = start(replace_url(command_, url() + trial.what().id)); }

void ClientSource::end(const Trial& trial) {
    const auto found = processes_.find(&trial);
    if (found == processes_.end()) return;
    kill(-found->second, SIGKILL);
    while (waitpid(found->second, nullptr, 0) < 0 && errno == EINTR) {
    }
    processes_.erase(found);
}

}  // namespace hawser::check
