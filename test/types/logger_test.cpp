#include <hawser/logger.hpp>

#include <fcntl.h>
#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include <hawser/error.hpp>

#include "support/catch.hpp"

using namespace hawser;
using namespace std::string_literals;

namespace {

constexpr LogLevel levels[] = {LogLevel::emergency, LogLevel::alert,  LogLevel::critical, LogLevel::error,
                               LogLevel::warning,   LogLevel::notice, LogLevel::info,     LogLevel::debug};

// Puts a pipe, in packet mode, in the place of standard error while it lives: each read gives what one write wrote.
class StderrPipe {
public:
    StderrPipe() {
        REQUIRE(pipe2(ends_, O_DIRECT | O_NONBLOCK | O_CLOEXEC) == 0);
        saved_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        REQUIRE(saved_ >= 0);
        REQUIRE(dup2(ends_[1], STDERR_FILENO) == STDERR_FILENO);
    }
    StderrPipe(const StderrPipe&) = delete;
    StderrPipe& operator=(const StderrPipe&) = delete;
    ~StderrPipe() {
        dup2(saved_, STDERR_FILENO);
        for (const int descriptor : {saved_, ends_[0], ends_[1]}) close(descriptor);
    }

    std::string next_write() {
        char bytes[4096];
        const ssize_t count = read(ends_[0], bytes, sizeof bytes);
        return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : std::string();
    }
    void close_reader() {
        close(ends_[0]);
        ends_[0] = -1;
    }

private:
    int ends_[2] = {-1, -1};
    int saved_ = -1;
};

// What is written behind the time.
std::string logged(LogLevel level, std::string_view message, LogFields fields = {}) {
    const auto logger = stderr_logger(LogLevel::debug);
    StderrPipe pipe;
    logger->log(level, message, fields);
    const std::string line = pipe.next_write();
    return line.size() > 25 ? line.substr(25) : line;
}

}  // namespace

TEST_CASE("logger: each level has its name") {
    std::string names;
    for (const LogLevel level : levels) names.append(log_level_name(level)).append(" ");
    CHECK(names == "emergency alert critical error warning notice info debug ");
    CHECK(log_level_name(static_cast<LogLevel>(8)) == "unknown");
}

TEST_CASE("logger: the null logger wants nothing") {
    const auto logger = null_logger();
    for (const LogLevel level : levels) CHECK_FALSE(logger->wants(level));
    StderrPipe pipe;
    logger->log(LogLevel::emergency, "x");
    CHECK(pipe.next_write().empty());
}

TEST_CASE("logger: a threshold is wanted itself, and what is more severe") {
    for (const LogLevel threshold : levels) {
        const std::shared_ptr<Logger> loggers[] = {stderr_logger(threshold), syslog_logger(threshold),
                                                   callback_logger([](LogLevel, std::string_view, LogFields) {}, threshold)};
        for (const auto& logger : loggers) {
            for (const LogLevel level : levels) CHECK(logger->wants(level) == (level <= threshold));
        }
    }
}

TEST_CASE("logger: a message is one line on standard error, in one write") {
    const auto logger = stderr_logger();
    std::string line, rest;
    {
        StderrPipe pipe;
        logger->log(LogLevel::debug, "unwanted");
        logger->log(LogLevel::warning, "peer is slow", {{"peer", "127.0.0.1:9"}, {"waiting", "1024"}});
        line = pipe.next_write();
        rest = pipe.next_write();
    }
    CHECK(rest.empty());
    std::string time = line.substr(0, 24);
    for (char& c : time)
        if (c >= '0' && c <= '9') c = '0';
    CHECK(time == "0000-00-00T00:00:00.000Z");
    CHECK(line.substr(24) == " warning: peer is slow peer=127.0.0.1:9 waiting=1024\n");
}

TEST_CASE("logger: the time is UTC's") {
    const auto logger = stderr_logger();
    const time_t before = time(nullptr);
    std::string line;
    {
        StderrPipe pipe;
        logger->log(LogLevel::error, "x");
        line = pipe.next_write();
    }
    tm calendar{};
    REQUIRE(strptime(line.c_str(), "%Y-%m-%dT%H:%M:%S", &calendar));
    const time_t written = timegm(&calendar);
    CHECK(written >= before);
    CHECK(written <= time(nullptr));
}

TEST_CASE("logger: control characters cannot make another line") {
    CHECK(logged(LogLevel::info, "a\r\nb\x1b[0m\x7f\t") == "info: a\\x0d\\x0ab\\x1b[0m\\x7f\\x09\n");
    CHECK(logged(LogLevel::info, "a\xC2\x9B[0m\x9B\xE2\x80\xAE") == "info: a\\xc2\\x9b[0m\\x9b\\xe2\\x80\\xae\n");
    CHECK(logged(LogLevel::info, std::string_view("a\0b", 3)) == "info: a\\x00b\n");
    CHECK(logged(LogLevel::info, "say \"\xC3\xA4\" \\") == "info: say \"\xC3\xA4\" \\\n");
    CHECK(logged(LogLevel::info, "m", {{"k\n", "v"}}) == "info: m k\\x0a=v\n");
}

TEST_CASE("logger: a value is quoted when it could be misread") {
    CHECK(logged(LogLevel::info, "m", {{"a", ""}, {"b", "x y"}, {"c", "x=y"}, {"d", "x\"y"}, {"e", "x\\y"}, {"f", "x\ny"}, {"g", "x,y"}}) ==
          "info: m a=\"\" b=\"x y\" c=\"x=y\" d=\"x\\\"y\" e=\"x\\\\y\" f=\"x\\x0ay\" g=x,y\n");
}

TEST_CASE("logger: a reader of standard error that has gone ends nothing") {
    const auto logger = stderr_logger();
    struct sigaction by_default {};
    struct sigaction before {};
    by_default.sa_handler = SIG_DFL;
    REQUIRE(sigaction(SIGPIPE, &by_default, &before) == 0);
    sigset_t sigpipe, mask_before, mask_after, pending;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    REQUIRE(pthread_sigmask(SIG_UNBLOCK, &sigpipe, &mask_before) == 0);
    int error = 0;
    {
        StderrPipe pipe;
        pipe.close_reader();
        errno = ERANGE;
        logger->log(LogLevel::error, "x");
        error = errno;
    }
    sigaction(SIGPIPE, &before, nullptr);
    sigpending(&pending);
    pthread_sigmask(SIG_SETMASK, &mask_before, &mask_after);
    CHECK(error == ERANGE);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
    CHECK(sigismember(&mask_after, SIGPIPE) == 0);
}

TEST_CASE("logger: a SIGPIPE of the application's own stays pending") {
    const auto logger = stderr_logger();
    sigset_t sigpipe, before, pending;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &sigpipe, &before) == 0);
    raise(SIGPIPE);
    {
        StderrPipe pipe;
        pipe.close_reader();
        logger->log(LogLevel::error, "x");
    }
    sigpending(&pending);
    const bool is_pending = sigismember(&pending, SIGPIPE) == 1;
    constexpr timespec at_once{};
    sigtimedwait(&sigpipe, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(is_pending);
}

TEST_CASE("logger: syslog gets the message as text, not as a format") {
    const auto logger = syslog_logger();
    std::string written;
    {
        StderrPipe pipe;
        openlog("hawser-test", LOG_PERROR, LOG_USER);
        logger->log(LogLevel::notice, "100%s sure\n", {{"k", "a b"}});
        logger->log(LogLevel::debug, "unwanted");
        closelog();
        for (std::string part = pipe.next_write(); !part.empty(); part = pipe.next_write()) written += part;
    }
    CHECK(written == "hawser-test: 100%s sure\\x0a k=\"a b\"\n");
}

TEST_CASE("logger: a callback gets what was logged, and what it throws is swallowed") {
    std::string seen;
    const auto logger = callback_logger(
        [&seen](LogLevel level, std::string_view message, LogFields fields) {
            seen.append(log_level_name(level)).append(" ").append(message);
            for (const LogField& field : fields) seen.append(" ").append(field.key).append("=").append(field.value);
            throw std::runtime_error("no");
        },
        LogLevel::info);
    logger->log(LogLevel::error, "m\n", {{"k", "a b"}});
    logger->log(LogLevel::debug, "unwanted");
    CHECK(seen == "error m\n k=a b");
}

TEST_CASE("logger: an empty callback is refused") {
    try {
        callback_logger({});
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::invalid_option);
    }
}
