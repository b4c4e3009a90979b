#include <hawser/logger.hpp>

#include <pthread.h>
#include <signal.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <hawser/error.hpp>

#include "types/text.hpp"

namespace hawser {
namespace {

// Keeps SIGPIPE from the thread: a reader of standard error that has gone must not end the process, and
// write(2) has no MSG_NOSIGNAL.
class NoSigpipe {
public:
    NoSigpipe() noexcept {
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;
    ~NoSigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    /// Takes back the signal that a write answered with EPIPE has raised.
    void discard() const noexcept {
        if (was_pending_) return;
        constexpr timespec at_once{};
        while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }

private:
    sigset_t sigpipe_{}, before_{};
    bool was_pending_ = false;
};

// One call, so that the lines of several threads or processes do not mingle.
void write_stderr(const std::string& line) noexcept {
    const NoSigpipe guard;
    ssize_t written = 0;
    do written = write(STDERR_FILENO, line.data(), line.size());
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno == EPIPE) guard.discard();
}

// 2006-01-02T15:04:05.678Z
std::string utc_time(std::chrono::system_clock::time_point now) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const auto seconds = static_cast<time_t>(since_epoch.count() / 1000);
    tm calendar{};
    gmtime_r(&seconds, &calendar);
    std::array<char, 40> text{};
    const std::size_t length = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &calendar);
    const int rest = std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(since_epoch.count() % 1000));
    return {text.data(), length + static_cast<std::size_t>(rest)};
}

bool needs_quotes(std::string_view value, std::string_view escaped_value) noexcept {
    return value.empty() || escaped_value != value || value.find_first_of(" =") != std::string_view::npos;
}

// message key=value key="value with spaces"
void append_entry(std::string& out, std::string_view message, LogFields fields) {
    append_escaped(out, message);
    for (const LogField& field : fields) {
        out += ' ';
        append_escaped(out, field.key);
        std::string value;
        append_escaped(value, field.value, "\"\\");
        const bool with_quotes = needs_quotes(field.value, value);
        out.append(with_quotes ? "=\"" : "=").append(value);
        if (with_quotes) out += '"';
    }
}

// A log that fails must not fail what it reports on, nor change the errno that is about to be looked at.
template <typename Write>
void without_failing(Write&& write) noexcept {
    const int saved = errno;
    try {
        write();
    } catch (...) {
    }
    errno = saved;
}

class NullLogger final : public Logger {
public:
    NullLogger() noexcept : Logger(LogLevel::emergency) {}
    bool wants(LogLevel) const noexcept override { return false; }
    void write(LogLevel, std::string_view, LogFields) noexcept override {}
};

class StderrLogger final : public Logger {
public:
    explicit StderrLogger(LogLevel threshold) noexcept : Logger(threshold) {}
    void write(LogLevel level, std::string_view message, LogFields fields) noexcept override {
        without_failing([&] {
            std::string line = utc_time(std::chrono::system_clock::now());
            line.append(" ").append(log_level_name(level)).append(": ");
            append_entry(line, message, fields);
            write_stderr(line += '\n');
        });
    }
};

class SyslogLogger final : public Logger {
public:
    explicit SyslogLogger(LogLevel threshold) noexcept : Logger(threshold) {}
    void write(LogLevel level, std::string_view message, LogFields fields) noexcept override {
        without_failing([&] {
            std::string entry;
            append_entry(entry, message, fields);
            // The levels are RFC 5424's, and so are syslog's numbers.
            syslog(static_cast<int>(level), "%s", entry.c_str());
        });
    }
};

class CallbackLogger final : public Logger {
public:
    using Callback = std::function<void(LogLevel, std::string_view, LogFields)>;
    CallbackLogger(Callback callback, LogLevel threshold) noexcept : Logger(threshold), callback_(std::move(callback)) {}
    void write(LogLevel level, std::string_view message, LogFields fields) noexcept override {
        without_failing([&] { callback_(level, message, fields); });
    }

private:
    Callback callback_;
};

}  // namespace

std::string_view log_level_name(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::emergency: return "emergency";
        case LogLevel::alert: return "alert";
        case LogLevel::critical: return "critical";
        case LogLevel::error: return "error";
        case LogLevel::warning: return "warning";
        case LogLevel::notice: return "notice";
        case LogLevel::info: return "info";
        case LogLevel::debug: return "debug";
    }
    return "unknown";
}

std::shared_ptr<Logger> null_logger() { return std::make_shared<NullLogger>(); }

std::shared_ptr<Logger> stderr_logger(LogLevel threshold) { return std::make_shared<StderrLogger>(threshold); }

std::shared_ptr<Logger> syslog_logger(LogLevel threshold) { return std::make_shared<SyslogLogger>(threshold); }

std::shared_ptr<Logger> callback_logger(std::function<void(LogLevel, std::string_view, LogFields)> callback, LogLevel threshold) {
    if (!callback) throw Error(Errc::invalid_option, "callback_logger() was given an empty function, use null_logger() to log nothing");
    return std::make_shared<CallbackLogger>(std::move(callback), threshold);
}

}  // namespace hawser
