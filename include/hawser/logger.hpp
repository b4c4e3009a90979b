#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <hawser/export.hpp>

namespace hawser {

/// Severities of RFC 5424 (and PSR-3), most severe first.
enum class LogLevel {
    emergency,  ///< nothing works
    alert,      ///< someone has to act at once
    critical,   ///< a part does not work
    error,      ///< something failed
    warning,    ///< something is not as it should be
    notice,     ///< all is well, and worth knowing
    info,       ///< what is done
    debug,      ///< each step of it
};

/// Lower-case name of a level.
HAWSER_API std::string_view log_level_name(LogLevel level) noexcept;

/// One key and value that go with a log message.
struct LogField {
    /// What it is: "peer", "error" …
    std::string_view key;
    /// Its text.
    std::string_view value;
};
/// The keys and values of one message; they die when the call returns.
using LogFields = std::initializer_list<LogField>;

/// Where an endpoint writes what it does. Called on the reactor's thread; must not throw.
class HAWSER_API Logger {
public:
    virtual ~Logger() = default;

    /// Whether a message of this level would be written: asked first, so that an unwanted message costs nothing.
    virtual bool wants(LogLevel level) const noexcept { return level <= threshold_; }
    /// Writes one message. The views die when the call returns.
    virtual void write(LogLevel level, std::string_view message, LogFields fields) noexcept = 0;

    /// Writes the message if it is wanted.
    void log(LogLevel level, std::string_view message, LogFields fields = {}) noexcept {
        if (wants(level)) write(level, message, fields);
    }

protected:
    /// Wants what is at least as severe as `threshold`.
    explicit Logger(LogLevel threshold) noexcept : threshold_(threshold) {}

private:
    LogLevel threshold_;
};

/// `text` so that it cannot steer the terminal or the log that shows it. Each byte of control characters (C0, DEL and C1, but for those of
/// `kept`, which are ASCII), of line separators, of marks and controls of bidirectional text, and of what is no UTF-8 stands as a backslash,
/// an x and two hex digits. For what a peer chose: a Close reason, a header field, a text. What errors cite, and what the loggers here
/// write, is escaped already.
HAWSER_API std::string escaped(std::string_view text, std::string_view kept = {});

/// Writes nothing. An endpoint without a logger behaves the same.
HAWSER_API std::shared_ptr<Logger> null_logger();
/// One line a message on standard error, with time, level, message and fields, each escaped().
HAWSER_API std::shared_ptr<Logger> stderr_logger(LogLevel threshold = LogLevel::info);
/// To syslog(3), with the process's own openlog() settings.
HAWSER_API std::shared_ptr<Logger> syslog_logger(LogLevel threshold = LogLevel::info);
/// To a function of yours. An exception that leaves it is swallowed.
HAWSER_API std::shared_ptr<Logger> callback_logger(std::function<void(LogLevel, std::string_view message, LogFields fields)> callback,
                                                   LogLevel threshold = LogLevel::debug);

}  // namespace hawser
